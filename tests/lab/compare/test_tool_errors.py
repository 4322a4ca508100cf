from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.lab.compare.tool_errors import LONGEST, complaint

# What pip 23.2 and uv 0.13 said, in the words that they used.

NO_SUCH_VERSION = """\
WARNING: Location 'file:///somewhere/twisted/' is ignored: it is neither a file nor a directory.
ERROR: Could not find a version that satisfies the requirement twisted==99 (from versions: 2.1.0)
ERROR: No matching distribution found for twisted==99
"""

CONFLICT = """\
ERROR: Cannot install twisted==24.7.0 and twisted>=25 because these package versions have \
conflicting dependencies.
ERROR: ResolutionImpossible: for help visit https://pip.example/dealing-with-conflicts
"""

NO_NETWORK = """\
WARNING: Retrying (Retry(total=0, connect=None, read=None, redirect=None, status=None)) after \
connection broken by 'NewConnectionError('<pip._vendor.HTTPSConnection object at 0x7f2>: Failed \
to establish a new connection: [Errno 111] Connection refused')': /simple/twisted/
ERROR: Could not find a version that satisfies the requirement twisted==24.7.0 (from versions: none)
ERROR: No matching distribution found for twisted==24.7.0
"""

NO_PROXY = NO_NETWORK.replace("refused')'", "refused'))'").replace(
    "'NewConnectionError(", "'ProxyError('Cannot connect to proxy.', NewConnectionError("
)

UV_CONFLICT = """\
error: No solution found when resolving dependencies
  cause: Because pyopenssl==24.2.1 depends on cryptography>=41.0.5,<44 and you require
         cryptography==50.0.2, we can conclude that your requirements are unsatisfiable.
"""

OLD_UV_CONFLICT = """\
  \N{MULTIPLICATION SIGN} No solution found when resolving dependencies:
  ╰─▶ Because there is no version of twisted==99 and you require twisted==99, we can conclude
      that your requirements are unsatisfiable.
"""

UV_NO_NETWORK = """\
error: Request failed after 1 retry
  cause: Failed to fetch: `https://pypi.example/simple/twisted/`
  cause: error sending request for url
  cause: tcp connect error
"""


class Complaint(SynchronousTestCase):
    def test_is_that_there_is_no_such_version(self) -> None:
        self.assertEqual(
            complaint(NO_SUCH_VERSION), "No matching distribution found for twisted==99"
        )

    def test_is_what_is_in_conflict_rather_than_that_there_is_one(self) -> None:
        self.assertEqual(
            complaint(CONFLICT),
            "Cannot install twisted==24.7.0 and twisted>=25 because these package versions have "
            "conflicting dependencies.",
        )

    def test_is_the_network_rather_than_the_version_that_was_not_found_for_want_of_it(self) -> None:
        expected = "the package index cannot be reached: [Errno 111] Connection refused"
        self.assertEqual(complaint(NO_NETWORK), expected)
        self.assertEqual(complaint(NO_PROXY), expected)

    def test_is_all_of_a_reason_that_is_written_in_another_way(self) -> None:
        self.assertEqual(
            complaint("Retrying (Retry(total=0)) after connection broken by something else"),
            "the package index cannot be reached: something else",
        )

    def test_of_uv_is_the_cause_joined_to_one_line(self) -> None:
        self.assertEqual(
            complaint(UV_CONFLICT),
            "Because pyopenssl==24.2.1 depends on cryptography>=41.0.5,<44 and you require "
            "cryptography==50.0.2, we can conclude that your requirements are unsatisfiable.",
        )
        self.assertTrue(complaint(OLD_UV_CONFLICT).startswith("Because there is no version of"))

    def test_of_uv_without_a_network_is_what_failed_and_the_last_cause(self) -> None:
        self.assertEqual(
            complaint(UV_NO_NETWORK), "Request failed after 1 retry: tcp connect error"
        )

    def test_is_the_last_line_of_what_knows_no_errors(self) -> None:
        self.assertEqual(complaint("Traceback\n  File\nImportError: no ssl\n"),
                         "ImportError: no ssl")  # fmt: skip

    def test_is_there_even_if_nothing_was_said(self) -> None:
        self.assertEqual(complaint(" \n"), "it said nothing")

    def test_is_never_longer_than_a_few_lines_of_a_terminal(self) -> None:
        text = complaint("ERROR: " + "1.2.3, " * 1000)
        self.assertEqual(len(text), LONGEST)
        self.assertTrue(text.endswith(" …"), text)
