from __future__ import annotations

import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.net.child_process import environment

_PROGRAM = """\
import pkgutil, pydoc, sys, tlsdemo
from importlib import import_module
walked = [name for _, name, _ in pkgutil.walk_packages(tlsdemo.__path__, "tlsdemo.")]
found = [
    name for name in walked if not name.endswith("__main__")
    and SECRET in pydoc.render_doc(import_module(name), renderer=pydoc.plaintext)
]
print(len(walked), *found)
""".replace("SECRET", "'a-secret-' + 'of-the-environment'")


class Documentation(SynchronousTestCase):
    def test_shows_nothing_of_the_environment(self) -> None:
        """What ``help(tlsdemo.…)`` shows, default arguments included, may be pasted anywhere."""
        process = subprocess.run(
            [sys.executable, "-c", _PROGRAM],
            env={**environment(), "TLSDEMO_TEST": "a-secret-of-the-environment"},
            capture_output=True,
            text=True,
            timeout=120,
        )
        self.assertEqual(process.returncode, 0, process.stderr)
        count, *found = process.stdout.split()
        self.assertGreater(int(count), 150)
        self.assertEqual(found, [])
