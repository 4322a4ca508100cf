from __future__ import annotations

import io
import os
import shutil
import sys
from pathlib import Path

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)

from tests.cli.refusals import RefusingCase
from tests.loadgen.fake_reactor import strangers
from tests.support import UNKNOWN_GROUPS, certificates
from tlsdemo.certificates.files import Credentials, load_certificates
from tlsdemo.cli import tls_options
from tlsdemo.cli.tls_options import CredentialOptions, TLSOptions
from tlsdemo.tls.groups import CAN_SET_GROUPS
from tlsdemo.tls.policy import Policy, TLSVersion


class CredentialCase(RefusingCase):
    def setUp(self) -> None:
        super().setUp()
        self.home = Path(self.mktemp())
        self.home.mkdir()

    def credentials(self, *arguments: str, side: str = "server") -> Credentials:
        command = CredentialOptions()
        command.parseOptions([f"--certs={self.home / 'certs'}", *arguments])
        return command.credentials(side)

    def message(self, *arguments: str) -> str:
        return self.refused(lambda: self.credentials(*arguments))


class MadeCertificates(CredentialCase):
    def test_are_made_once_and_their_directory_is_reported(self) -> None:
        first = self.credentials()
        message = self.errors.getvalue()
        made = self.home.absolute() / "certs" / "ecdsa"
        self.assertEqual(message, f"tlsdemo: made new certificates in {made}\n")
        self.assertEqual(self.credentials(), first)
        self.assertEqual(self.errors.getvalue(), message)

    def test_of_both_sides_are_issued_by_the_same_ca(self) -> None:
        made = self.home.absolute() / "certs" / "ecdsa"
        for side in ("server", "client"):
            self.assertEqual(
                self.credentials(side=side),
                Credentials(made / f"{side}.pem", made / f"{side}.key", made / "ca.pem"),
            )

    def test_can_have_rsa_keys(self) -> None:
        certificate = self.credentials("--key-type=rsa").certificate
        assert certificate is not None
        self.assertEqual(certificate.parent.name, "rsa")

    def test_cannot_have_other_types_of_keys(self) -> None:
        message = self.message("--key-type=dsa")
        self.assertEqual(
            message,
            "tlsdemo: --key-type is 'dsa', none of ecdsa, rsa; did you mean ecdsa or rsa? "
            "(try: tlsdemo --help)",
        )

    def test_are_in_the_default_directory_without_another(self) -> None:
        usual = self.home.absolute() / "usual"
        self.patch(tls_options, "default_directory", lambda: usual)
        command = CredentialOptions()
        command.parseOptions([])
        self.assertEqual(command.credentials("server").authority, usual / "ecdsa" / "ca.pem")

    def test_cannot_be_made_in_a_directory_that_cannot_exist(self) -> None:
        (self.home / "certs").write_text("not a directory")
        self.assertIn("cannot keep the demonstration certificates", self.message())


class GivenCertificates(CredentialCase):
    def setUp(self) -> None:
        super().setUp()
        self.theirs = strangers().server
        self.cert = f"--cert={self.theirs.certificate}"
        self.key = f"--key={self.theirs.key}"
        self.ca = f"--ca={self.theirs.authority}"

    def test_with_a_ca_need_no_demo_certificates(self) -> None:
        self.assertEqual(self.credentials(self.cert, self.key, self.ca), self.theirs)
        self.assertEqual(list(self.home.iterdir()), [])

    def test_without_a_ca_are_used_with_the_demo_ca(self) -> None:
        given = self.credentials(self.cert, self.key)
        made = self.credentials()
        self.assertEqual(
            given, Credentials(self.theirs.certificate, self.theirs.key, made.authority)
        )

    def test_can_be_only_the_ca(self) -> None:
        given = self.credentials(self.ca)
        made = self.credentials()
        self.assertEqual(given, Credentials(made.certificate, made.key, self.theirs.authority))

    def test_have_absolute_paths_because_a_daemon_changes_its_directory(self) -> None:
        relative = [
            f"--{name}={os.path.relpath(path)}"
            for name, path in (("cert", self.theirs.certificate), ("key", self.theirs.key))
            if path is not None
        ]
        self.assertEqual(self.credentials(*relative).certificate, self.theirs.certificate)

    def test_can_be_in_the_home_directory(self) -> None:
        assert self.theirs.authority is not None
        self.patch(os, "environ", {**os.environ, "HOME": str(self.theirs.authority.parent)})
        self.assertEqual(self.credentials("--ca=~/ca.pem").authority, self.theirs.authority)

    def test_a_missing_file_is_reported(self) -> None:
        message = self.message("--cert=/nowhere/a.pem", self.key)
        self.assertIn("'/nowhere/a.pem' cannot be read: No such file or directory", message)

    def test_need_the_key(self) -> None:
        self.assertIn("needs its key as well", self.message(self.cert))

    def test_need_the_certificate_for_the_key(self) -> None:
        self.assertIn("needs its certificate as well", self.message(self.key))

    def test_a_key_that_does_not_match_is_reported(self) -> None:
        message = self.message(self.cert, f"--key={certificates().server.key}")
        self.assertIn(f"key '{certificates().server.key}' does not match", message)

    def test_a_file_that_is_not_a_ca_certificate_is_reported(self) -> None:
        nonsense = self.home / "nonsense"
        shutil.copy(__file__, nonsense)
        self.assertIn(f"'{nonsense.absolute()}' holds no PEM", self.message(f"--ca={nonsense}"))


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

    def test_are_paired_with_their_keys_in_order(self) -> None:
        authority = self.theirs.authority
        self.assertEqual(
            self.identities(*self.pairs, self.ca),
            [
                Credentials(each.certificate, each.key, authority)
                for each in (self.ours, self.theirs)
            ],
        )

    def test_default_to_the_demo_certificate(self) -> None:
        self.assertEqual(self.identities(), [self.credentials()])

    def test_are_refused_if_only_one_is_possible(self) -> None:
        message = self.message(*self.pairs, self.ca)
        self.assertEqual(message, "tlsdemo: --cert is given 2 times, and a server can have only 1")

    def test_need_as_many_keys(self) -> None:
        message = self.message(*self.pairs[:3])
        self.assertIn("--cert is given 2 times and --key 1 times; each needs the other", message)

    def test_are_all_checked(self) -> None:
        message = self.message(
            *self.pairs, self.ca, "--cert=/nowhere/b.pem", f"--key={self.ours.key}"
        )
        self.assertIn("'/nowhere/b.pem' cannot be read", message)


class Identities(RefusingCase):
    """Keys that are encrypted, in PKCS#12, or open to others."""

    def setUp(self) -> None:
        super().setUp()
        server = certificates().server
        assert server.certificate is not None and server.key is not None
        self.certificate, self.authority = server.certificate, str(server.authority)
        self.key = load_pem_private_key(server.key.read_bytes(), None)
        self.patch(os, "environ", {})

    def options(self, *arguments: str) -> TLSOptions:
        options = TLSOptions()
        options.parseOptions([f"--ca={self.authority}", *arguments])
        return options

    def encrypted(self) -> Path:
        path = Path(self.mktemp())
        secret = BestAvailableEncryption(b"secret")
        path.write_bytes(self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, secret))
        path.chmod(0o600)
        return path

    def test_the_passphrase_comes_from_a_file_or_the_environment(self) -> None:
        arguments = [f"--cert={self.certificate}", f"--key={self.encrypted()}"]
        file = Path(self.mktemp())
        file.write_text("secret\r\nmore\n")
        for more, environment in (
            ([f"--passphrase-file={file}"], {}),
            ([], {"TLSDEMO_PASSPHRASE": "secret"}),
            ([f"--passphrase-file={file}"], {"TLSDEMO_PASSPHRASE": "wrong"}),
        ):
            self.patch(os, "environ", environment)
            credentials = self.options(*arguments, *more).credentials("server")
            self.assertEqual(credentials.passphrase, b"secret")

    def test_a_pkcs12_file_needs_no_key(self) -> None:
        path = Path(self.mktemp())
        (leaf,) = load_certificates(self.certificate)
        path.write_bytes(
            pkcs12.serialize_key_and_certificates(None, self.key, leaf, None, NoEncryption())  # type: ignore[arg-type]
        )
        path.chmod(0o600)
        credentials = self.options(f"--cert={path}").credentials("server")
        self.assertEqual((credentials.certificate, credentials.key), (path.absolute(),) * 2)

    def test_a_passphrase_file_that_cannot_be_read_is_named(self) -> None:
        options = self.options("--passphrase-file=missing")
        message = self.refused(lambda: options.credentials("server"))
        missing = str(Path("missing").absolute())
        expected = f"--passphrase-file is {missing!r}, and cannot be read: No such file"
        self.assertIn(expected, message)

    def test_a_key_that_every_user_can_read_has_a_warning(self) -> None:
        key = self.encrypted()
        self.patch(os, "environ", {"TLSDEMO_PASSPHRASE": "secret"})
        for mode, warned in ((0o600, False), (0o640, False), (0o644, True)):
            key.chmod(mode)
            stderr = io.StringIO()
            self.patch(sys, "stderr", stderr)
            self.options(f"--cert={self.certificate}", f"--key={key}").credentials("server")
            self.assertEqual("every user can read the key" in stderr.getvalue(), warned)


class Policies(RefusingCase):
    def policy(self, *arguments: str) -> object:
        command = TLSOptions()
        command.parseOptions(arguments)
        return command["policy"]

    def test_have_strict_defaults(self) -> None:
        self.assertEqual(self.policy(), Policy())

    def test_have_the_values_of_the_options(self) -> None:
        self.assertEqual(
            self.policy("--tls-min=1.3", "--tls-max=1.3"),
            Policy(lowest=TLSVersion.TLS_1_3),
        )
        self.assertEqual(
            self.policy("--tls-min=1.1", "--tls-max=1.2", "--ciphers=ECDHE:@SECLEVEL=0"),
            Policy(TLSVersion.TLS_1_1, TLSVersion.TLS_1_2, "ECDHE:@SECLEVEL=0"),
        )
        if CAN_SET_GROUPS:
            self.assertEqual(self.policy("--groups=P-384"), Policy(groups="P-384"))

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
            "--groups=no": f"--groups is 'no', {UNKNOWN_GROUPS}",
        }.items():
            message = self.refused(lambda each=arguments: self.policy(*each.split()))  # type: ignore[misc]
            self.assertEqual(message, f"tlsdemo: {expected} (try: tlsdemo --help)")
