"""The example in the docstring of ``tlsdemo.testing`` is a test that passes."""

from __future__ import annotations

import doctest

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo import testing


class TheExample(SynchronousTestCase):
    def test_in_the_docstring_holds(self) -> None:
        (example,) = doctest.DocTestFinder(recurse=False).find(testing, "tlsdemo.testing")
        output: list[str] = []
        failed, attempted = doctest.DocTestRunner().run(example, out=output.append)
        self.assertEqual(failed, 0, "".join(output))
        self.assertGreater(attempted, 10)
