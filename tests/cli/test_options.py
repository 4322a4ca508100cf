from __future__ import annotations

import enum
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from twisted.internet import reactor
from twisted.python import usage
from twisted.trial.unittest import SynchronousTestCase

from tests.cli.refusals import RefusingCase
from tests.loadgen.fake_reactor import strangers
from tests.support import certificates
from tlsdemo.certificates.files import Credentials
from tlsdemo.cli import options
from tlsdemo.cli.options import (
    CredentialOptions,
    Options,
    TLSOptions,
    check_client_endpoint,
    check_server_endpoint,
    choice,
    fail,
    named,
    seconds,
    whole,
)
from tlsdemo.tls.policy import Policy, TLSVersion


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"


class Sample(Options):
    command = "sample"

    optParameters: ClassVar[list[list[Any]]] = named([
        ["count", "c", 7, "How many.", whole(1, 1_000_000)],
        ["wait", None, 0.5, "How long.", seconds(0.1, 60)],
        ["colour", None, None, "Which.", choice(Colour)],
        ["word", None, "hello", "What."],
    ])  # fmt: skip

    optFlags: ClassVar[list[list[str | None]]] = [["loud", None, "Whether."]]


class Fail(RefusingCase):
    def test_it_ends_with_one_line_and_the_status_for_bad_usage(self) -> None:
        self.assertEqual(self.refused(lambda: fail("sample", "no")), "sample: no")

    def test_the_status_can_be_another(self) -> None:
        self.assertEqual(self.refused(lambda: fail("sample", "no", status=1), 1), "sample: no")


class Readers(SynchronousTestCase):
    def read(self, reader: Callable[[str], object], *texts: str) -> list[object]:
        return [reader(text) for text in texts]

    def unreadable(self, reader: Callable[[str], object], text: str) -> str:
        return str(self.assertRaises(ValueError, reader, text))

    def test_whole_numbers(self) -> None:
        self.assertEqual(self.read(whole(1, 9), "1", "9", " 5 "), [1, 9, 5])

    def test_what_is_no_whole_number(self) -> None:
        for text in ("", "x", "1.5", "0x10", "1e3"):
            self.assertEqual(self.unreadable(whole(1, 9), text), "not a whole number")

    def test_whole_numbers_out_of_bounds(self) -> None:
        for text in ("0", "-1", "1000001"):
            problem = self.unreadable(whole(1, 1_000_000), text)
            self.assertEqual(problem, "not between 1 and 1,000,000")

    def test_seconds(self) -> None:
        self.assertEqual(self.read(seconds(0.0), "0", "0.25", "1e3"), [0.0, 0.25, 1000.0])

    def test_what_is_no_number_of_seconds(self) -> None:
        for text in ("", "x", "1s"):
            self.assertEqual(self.unreadable(seconds(0.0), text), "not a number of seconds")

    def test_seconds_out_of_bounds(self) -> None:
        for text in ("0.05", "-1", "61", "nan", "inf", "-inf"):
            problem = self.unreadable(seconds(0.1, 60), text)
            self.assertEqual(problem, "not between 0.1 and 60 seconds")

    def test_a_choice(self) -> None:
        self.assertEqual(self.read(choice(Colour), "red", "green"), [Colour.RED, Colour.GREEN])

    def test_what_cannot_be_chosen(self) -> None:
        for text in ("", "blue", "RED"):
            self.assertEqual(self.unreadable(choice(Colour), text), "none of red, green")


class Parsing(RefusingCase):
    def parse(self, *arguments: str) -> Sample:
        sample = Sample()
        sample.parseOptions(arguments)
        return sample

    def test_values_are_read(self) -> None:
        sample = self.parse("-c", "3", "--wait=2", "--colour=red", "--word=x", "--loud")
        self.assertEqual(
            dict(sample), {"count": 3, "wait": 2.0, "colour": Colour.RED, "word": "x", "loud": 1}
        )

    def test_defaults_are_not(self) -> None:
        self.assertEqual(
            dict(self.parse()),
            {"count": 7, "wait": 0.5, "colour": None, "word": "hello", "loud": 0},
        )

    def test_every_problem_is_one_line_that_names_the_option_and_the_value(self) -> None:
        for argument, expected in {
            "--count=x": "--count is 'x', not a whole number",
            "-cx": "--count is 'x', not a whole number",
            "--count=0": "--count is '0', not between 1 and 1,000,000",
            "--count=1\n2": "--count is '1\\n2', not a whole number",
            "--wait=1s": "--wait is '1s', not a number of seconds",
            "--colour=blue": "--colour is 'blue', none of red, green",
            "--word": "option --word requires argument",
            "--nonsense=1": "option --nonsense not recognized",
            "--loud=1": "option --loud must not have an argument",
            "--co=1": "option --co not a unique prefix",
            "extra": "'extra' is not understood: it is no option",
        }.items():
            said = self.refused(lambda argument=argument: self.parse(argument))  # type: ignore[misc]
            self.assertEqual(said, f"sample: {expected} (try: sample --help)")

    def test_named_leaves_the_parameters_it_was_given_as_they_are(self) -> None:
        parameters: list[list[Any]] = [["count", None, 1, "How many.", whole(1)]]
        named(parameters)
        named(parameters)
        problem = self.assertRaises(ValueError, named(parameters)[0][4], "x")
        self.assertEqual(str(problem), "--count is 'x', not a whole number")


class CredentialCase(RefusingCase):
    def setUp(self) -> None:
        super().setUp()
        self.home = Path(self.mktemp())
        self.home.mkdir()

    def credentials(self, *arguments: str, side: str = "server") -> Credentials:
        command = CredentialOptions()
        command.parseOptions([f"--certs={self.home / 'certs'}", *arguments])
        return command.credentials(side)

    def said(self, *arguments: str, status: int = 1) -> str:
        return self.refused(lambda: self.credentials(*arguments), status)


class MadeCertificates(CredentialCase):
    def test_they_are_made_once_and_said_where(self) -> None:
        first = self.credentials()
        said = self.errors.getvalue()
        made = self.home.absolute() / "certs" / "ecdsa"
        self.assertEqual(said, f"tlsdemo: made new certificates in {made}\n")
        self.assertEqual(self.credentials(), first)
        self.assertEqual(self.errors.getvalue(), said)

    def test_each_side_has_its_own_and_both_the_same_authority(self) -> None:
        made = self.home.absolute() / "certs" / "ecdsa"
        for side in ("server", "client"):
            self.assertEqual(
                self.credentials(side=side),
                Credentials(made / f"{side}.pem", made / f"{side}.key", made / "ca.pem"),
            )

    def test_there_are_rsa_keys_too(self) -> None:
        certificate = self.credentials("--key-type=rsa").certificate
        assert certificate is not None
        self.assertEqual(certificate.parent.name, "rsa")

    def test_other_kinds_of_keys_are_refused(self) -> None:
        said = self.said("--key-type=dsa", status=2)
        self.assertEqual(said, "tlsdemo: --key-type is 'dsa', not ecdsa or rsa")

    def test_without_a_directory_they_are_kept_where_they_always_are(self) -> None:
        usual = self.home.absolute() / "usual"
        self.patch(options, "default_directory", lambda: usual)
        command = CredentialOptions()
        command.parseOptions([])
        self.assertEqual(command.credentials("server").authority, usual / "ecdsa" / "ca.pem")

    def test_a_directory_that_cannot_be_is_told_in_a_line(self) -> None:
        (self.home / "certs").write_text("not a directory")
        self.assertIn("cannot keep the demonstration certificates", self.said())


class GivenCertificates(CredentialCase):
    def setUp(self) -> None:
        super().setUp()
        self.theirs = strangers().server
        self.cert = f"--cert={self.theirs.certificate}"
        self.key = f"--key={self.theirs.key}"
        self.ca = f"--ca={self.theirs.authority}"

    def test_with_all_three_given_none_are_made(self) -> None:
        self.assertEqual(self.credentials(self.cert, self.key, self.ca), self.theirs)
        self.assertEqual(list(self.home.iterdir()), [])

    def test_a_pair_alone_goes_with_the_demonstrations_authority(self) -> None:
        given = self.credentials(self.cert, self.key)
        made = self.credentials()
        self.assertEqual(
            given, Credentials(self.theirs.certificate, self.theirs.key, made.authority)
        )

    def test_an_authority_alone_goes_with_the_demonstrations_pair(self) -> None:
        given = self.credentials(self.ca)
        made = self.credentials()
        self.assertEqual(given, Credentials(made.certificate, made.key, self.theirs.authority))

    def test_paths_are_absolute_because_a_daemon_may_go_elsewhere(self) -> None:
        relative = [
            f"--{name}={os.path.relpath(path)}"
            for name, path in (("cert", self.theirs.certificate), ("key", self.theirs.key))
            if path is not None
        ]
        self.assertEqual(self.credentials(*relative).certificate, self.theirs.certificate)

    def test_a_tilde_is_the_users_home(self) -> None:
        assert self.theirs.authority is not None
        self.patch(os, "environ", {**os.environ, "HOME": str(self.theirs.authority.parent)})
        self.assertEqual(self.credentials("--ca=~/ca.pem").authority, self.theirs.authority)

    def test_a_missing_file_is_named_with_the_reason(self) -> None:
        said = self.said("--cert=/nowhere/a.pem", self.key)
        self.assertIn("'/nowhere/a.pem' cannot be read: No such file or directory", said)

    def test_a_certificate_needs_its_key(self) -> None:
        self.assertIn("needs its key as well", self.said(self.cert))

    def test_a_key_needs_its_certificate(self) -> None:
        self.assertIn("needs its certificate as well", self.said(self.key))

    def test_a_key_that_does_not_match_is_named(self) -> None:
        said = self.said(self.cert, f"--key={certificates().server.key}")
        self.assertIn(f"key '{certificates().server.key}' does not match", said)

    def test_a_file_that_is_no_authority_is_named(self) -> None:
        nonsense = self.home / "nonsense"
        shutil.copy(__file__, nonsense)
        self.assertIn(f"'{nonsense.absolute()}' holds no PEM", self.said(f"--ca={nonsense}"))


class Endpoints(SynchronousTestCase):
    def test_what_can_be_listened_on(self) -> None:
        for where in ("tcp:0", "tcp:8899:interface=127.0.0.1", "unix:status", "tcp6:0"):
            check_server_endpoint(reactor, "listen", where)

    def test_what_can_be_connected_to(self) -> None:
        for where in ("tcp:127.0.0.1:25", "tcp:host=example.org:port=25", "unix:status"):
            check_client_endpoint(reactor, "connect", where)

    def test_what_cannot_is_named_with_an_example(self) -> None:
        for check, example in (
            (check_server_endpoint, "tcp:8899:interface=127.0.0.1"),
            (check_client_endpoint, "tcp:127.0.0.1:8899"),
        ):
            for where in ("", "8899", "127.0.0.1:8899", "tcp:x:y:z", "nonsense:1", "tcp:"):
                problem = str(self.assertRaises(usage.UsageError, check, reactor, "where", where))
                self.assertIn(f"--where is {where!r}, which is no endpoint string", problem)
                self.assertIn(f"such as {example} (", problem)
                self.assertNotIn("\n", problem)


class SeveralCertificates(CredentialCase):
    def setUp(self) -> None:
        super().setUp()
        self.ours, self.theirs = certificates().server, strangers().server
        self.pairs = [
            f"--{name}={path}"
            for each in (self.ours, self.theirs)
            for name, path in (("cert", each.certificate), ("key", each.key))
        ]
        self.ca = f"--ca={self.theirs.authority}"

    def identities(self, *arguments: str) -> list[Credentials]:
        command = CredentialOptions()
        command.parseOptions([f"--certs={self.home / 'certs'}", *arguments])
        return command.identities("server")

    def test_each_goes_with_its_key_in_their_order_and_with_the_one_authority(self) -> None:
        authority = self.theirs.authority
        self.assertEqual(
            self.identities(*self.pairs, self.ca),
            [
                Credentials(each.certificate, each.key, authority)
                for each in (self.ours, self.theirs)
            ],
        )

    def test_without_any_there_is_the_demonstrations(self) -> None:
        self.assertEqual(self.identities(), [self.credentials()])

    def test_a_side_that_shows_one_refuses_a_second(self) -> None:
        said = self.said(*self.pairs, self.ca, status=2)
        self.assertEqual(said, "tlsdemo: --cert is given 2 times, and a server shows one")

    def test_one_without_the_other_is_told_in_a_line(self) -> None:
        said = self.said(*self.pairs[:3], status=2)
        self.assertIn("--cert is given 2 times and --key 1 times; each needs the other", said)

    def test_a_second_that_is_bad_is_named(self) -> None:
        said = self.said(*self.pairs, self.ca, "--cert=/nowhere/b.pem", f"--key={self.ours.key}")
        self.assertIn("'/nowhere/b.pem' cannot be read", said)


class Policies(RefusingCase):
    def policy(self, *arguments: str) -> object:
        command = TLSOptions()
        command.parseOptions(arguments)
        return command["policy"]

    def test_are_strict_unless_told_otherwise(self) -> None:
        self.assertEqual(self.policy(), Policy())

    def test_are_what_the_options_say(self) -> None:
        self.assertEqual(
            self.policy("--tls-min=1.3", "--tls-max=1.3"),
            Policy(lowest=TLSVersion.TLS_1_3),
        )
        self.assertEqual(
            self.policy("--tls-min=1.1", "--tls-max=1.2", "--ciphers=ECDHE:@SECLEVEL=0"),
            Policy(TLSVersion.TLS_1_1, TLSVersion.TLS_1_2, "ECDHE:@SECLEVEL=0"),
        )

    def test_every_problem_is_one_line_that_names_the_option_and_the_value(self) -> None:
        for arguments, expected in {
            "--tls-min=2": "--tls-min is '2', none of 1.0, 1.1, 1.2, 1.3",
            "--tls-max=ssl3": "--tls-max is 'ssl3', none of 1.0, 1.1, 1.2, 1.3",
            "--tls-min=1.3 --tls-max=1.2": "--tls-min is '1.3', above --tls-max, which is '1.2'",
            "--tls-max=1.1": "--tls-min is '1.2', above --tls-max, which is '1.1'",
            "--tls-min=1.0": "--tls-min is '1.0', which OpenSSL cannot do with the ciphers "
            "'ECDHE+AESGCM:ECDHE+CHACHA20' (no protocols available)",
            "--ciphers=no": "--ciphers is 'no', no cipher of TLS 1.2 or below that OpenSSL knows "
            "(no cipher match)",
            "--ciphers=ECDHE:no": "--ciphers is 'ECDHE:no', and 'no' is no cipher of TLS 1.2 or "
            "below that OpenSSL knows (no cipher match)",
        }.items():
            said = self.refused(lambda each=arguments: self.policy(*each.split()))  # type: ignore[misc]
            self.assertEqual(said, f"tlsdemo: {expected} (try: tlsdemo --help)")
