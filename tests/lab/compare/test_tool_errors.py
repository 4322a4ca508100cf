from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.lab.compare.tool_errors import LONGEST, error_line

# Output of pip 23.2 and uv 0.13.

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

UNKNOWN = """\
ERROR: Could not find a version that satisfies the requirement nowhere==1 (from versions: none)
ERROR: No matching distribution found for nowhere==1
"""

NOT_BUILT = """\
  error: subprocess-exited-with-error
  \N{MULTIPLICATION SIGN} Getting requirements to build wheel did not run successfully.
  │ exit code: 1
  ╰─> [19 lines of output]
      Traceback (most recent call last):
        File "<string>", line 1, in <module>
      RuntimeError: this setup.py does not work
      [end of output]

  note: This error originates from a subprocess, and is likely not a problem with pip.
error: subprocess-exited-with-error

\N{MULTIPLICATION SIGN} Getting requirements to build wheel did not run successfully.
│ exit code: 1
╰─> See above for output.

note: This error originates from a subprocess, and is likely not a problem with pip.
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


class ErrorLine(SynchronousTestCase):
    def test_a_version_that_does_not_exist(self) -> None:
        self.assertEqual(
            error_line(NO_SUCH_VERSION), "No matching distribution found for twisted==99"
        )

    def test_a_package_without_any_version_may_be_one_without_an_index(self) -> None:
        self.assertEqual(
            error_line(UNKNOWN),
            "No matching distribution found for nowhere==1; "
            "the package index has no version of it, or cannot be reached",
        )

    def test_a_package_that_cannot_be_built_is_told_by_what_its_build_said_last(self) -> None:
        self.assertEqual(
            error_line(NOT_BUILT),
            "Getting requirements to build wheel did not run successfully: "
            "RuntimeError: this setup.py does not work",
        )

    def test_a_conflict_names_the_packages(self) -> None:
        self.assertEqual(
            error_line(CONFLICT),
            "Cannot install twisted==24.7.0 and twisted>=25 because these package versions have "
            "conflicting dependencies.",
        )

    def test_an_unreachable_index_is_reported_instead_of_a_missing_version(self) -> None:
        expected = "the package index cannot be reached: [Errno 111] Connection refused"
        self.assertEqual(error_line(NO_NETWORK), expected)
        self.assertEqual(error_line(NO_PROXY), expected)

    def test_an_unknown_reason_is_reported_as_a_whole(self) -> None:
        self.assertEqual(
            error_line("Retrying (Retry(total=0)) after connection broken by something else"),
            "the package index cannot be reached: something else",
        )

    def test_the_cause_that_uv_reports_is_joined_into_one_line(self) -> None:
        self.assertEqual(
            error_line(UV_CONFLICT),
            "Because pyopenssl==24.2.1 depends on cryptography>=41.0.5,<44 and you require "
            "cryptography==50.0.2, we can conclude that your requirements are unsatisfiable.",
        )
        self.assertTrue(error_line(OLD_UV_CONFLICT).startswith("Because there is no version of"))

    def test_the_error_and_the_last_cause_of_uv_without_a_network(self) -> None:
        self.assertEqual(
            error_line(UV_NO_NETWORK), "Request failed after 1 retry: tcp connect error"
        )

    def test_output_without_an_error_is_reported_with_its_last_line(self) -> None:
        self.assertEqual(error_line("Traceback\n  File\nImportError: no ssl\n"),
                         "ImportError: no ssl")  # fmt: skip

    def test_empty_output(self) -> None:
        self.assertEqual(error_line(" \n"), "it printed nothing")

    def test_a_long_line_is_truncated(self) -> None:
        text = error_line("ERROR: " + "1.2.3, " * 1000)
        self.assertEqual(len(text), LONGEST)
        self.assertTrue(text.endswith(" …"), text)
