"""Containerfile, as far as it can be tried without an engine that builds it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.end_to_end.processes import TIMEOUT, ProcessCase, port_of
from tests.test_architecture import ROOT

CONTAINERFILE = (ROOT / "Containerfile").read_text()
CONFIG = ROOT / "packaging" / "container" / "tlsdemo.toml"


def instruction(name: str) -> str:
    """The last instruction of this name."""
    found = re.findall(rf"^{name} (.*)$", CONTAINERFILE.replace("\\\n", ""), re.MULTILINE)
    return str(found[-1])


class TheFile(SynchronousTestCase):
    def test_is_clean(self) -> None:
        hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent))
        if hadolint is None:
            raise self.skipTest("there is no hadolint for this kind of machine")
        done = subprocess.run(
            [hadolint, "--no-color", str(ROOT / "Containerfile")],
            capture_output=True, text=True, timeout=TIMEOUT, check=False,
        )  # fmt: skip
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_has_a_base_with_a_tag_and_a_user_without_privileges(self) -> None:
        bases = set(re.findall(r"^FROM (\S+)", CONTAINERFILE, re.MULTILINE))
        (base,) = bases
        self.assertRegex(base, r"^docker\.io/library/python:3\.\d+-slim-\w+$")
        self.assertGreater(int(instruction("USER")), 0)

    def test_copies_what_exists_and_is_not_ignored(self) -> None:
        ignored = (ROOT / ".containerignore").read_text().splitlines()
        allowed = {line[1:] for line in ignored if line.startswith("!")}
        self.assertEqual(ignored[1], "*")
        copied = set()
        for line in re.findall(r"^COPY (?!--from)(.*)$", CONTAINERFILE, re.MULTILINE):
            copied |= set(line.split()[:-1])
        for name in copied:
            self.assertTrue((ROOT / name).exists(), name)
            self.assertTrue({name, str(Path(name).parent)} & allowed, name)
        self.assertEqual(len(allowed), len(copied))


class AContainer(ProcessCase):
    def test_serves_and_is_healthy(self) -> None:
        program, *arguments = json.loads(instruction("ENTRYPOINT"))
        self.assertEqual(program, "twistd")
        (config,) = json.loads(instruction("CMD"))
        self.assertEqual(config, "--config=/etc/tlsdemo/tlsdemo.toml")
        # Other ports, as those of the image may be in use here.
        mine = self.home / "tlsdemo.toml"
        text = CONFIG.read_text().replace(":8899", ":0:interface=127.0.0.1")
        mine.write_text(text.replace("tcp:8080", "tcp:0"))
        server = self.twistd(*arguments, f"--config={mine}", "--status=none", self.certs)
        server.wait_for_line(r'"message": ?"listening on tcp:127')
        where = server.wait_for_line(r"http://(?:127\.0\.0\.1|localhost):(\d+)")
        self.assertEqual(self.health(port_of(f"tcp:{where[1]}")), 0)
        self.assertNotEqual(self.health(1), 0)

    def health(self, port: int) -> int:
        shell, command = instruction("HEALTHCHECK").split("CMD ")
        self.assertIn("--timeout=3s", shell)
        words = [word.replace(":8080", f":{port}") for word in json.loads(command)]
        self.assertEqual(words[0], "python")
        # An engine may pass its proxy on to every container.
        process = self.start("env", "http_proxy=http://127.0.0.1:9", sys.executable, *words[1:])
        return process.wait()
