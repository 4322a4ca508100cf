"""The options for certificates, and for the versions, ciphers and groups of TLS."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from datetime import datetime, timezone
from itertools import zip_longest
from pathlib import Path
from typing import Any, ClassVar

from twisted.python import usage

from tlsdemo.certificates.demo_ca import (
    KEY_TYPES,
    DemoCertificates,
    default_directory,
    demo_certificates,
)
from tlsdemo.certificates.files import PASSPHRASE, BadCredentials, Credentials
from tlsdemo.certificates.identity import is_pkcs12
from tlsdemo.cli.option_groups import Group, GroupedOptions
from tlsdemo.cli.options import choice, fail, named
from tlsdemo.cli.suggestions import one_of
from tlsdemo.reporting.terminal import write_line
from tlsdemo.tls.policy import CIPHERS, BadPolicy, Policy, TLSVersion


class CredentialOptions(GroupedOptions):
    """The options for our own certificate and for the trusted CAs."""

    optParameters: ClassVar[list[list[Any]]] = named([
        ["ca", None, None, "PEM file with the CA certificates to trust. "
         "[default: the demo certificates]"],
        ["passphrase-file", None, None, "File whose first line is the passphrase of the --key, or "
         "of a --cert in PKCS#12. [default: the environment variable TLSDEMO_PASSPHRASE]"],
        ["key-type", None, "ecdsa", "Type of the demo certificates' keys: ecdsa (P-256) or rsa.",
         one_of(KEY_TYPES)],
        ["certs", None, None, "Directory of the demo certificates. [default: certs/ in a "
         "checkout, otherwise in the user's data directory]"],
    ])  # fmt: skip

    groups: ClassVar[Mapping[Group, str]] = {
        Group.TLS: "cert key passphrase-file ca",
        Group.DEMONSTRATION: "key-type certs",
    }

    def __init__(self) -> None:
        super().__init__()
        self["cert"], self["key"] = [], []

    def opt_cert(self, path: str) -> None:
        """PEM file with our certificate chain, our own certificate first; or a PKCS#12 file.

        PKCS#12 has the key as well, so it needs no --key. Can be repeated for a server, each time
        with a --key. A client that asks for a name which none of the certificates has is shown the
        first. [default: the demo certificates]
        """
        self["cert"].append(path)

    def opt_key(self, path: str) -> None:
        """PEM file with the private key for --cert; see --passphrase-file if it is encrypted.

        [default: the demo certificates]
        """
        self["key"].append(path)

    def credentials(self, side: str) -> Credentials:
        """Return the checked credentials of ``side`` (``server`` or ``client``).

        Makes the demo certificates if they are needed.  Ends the process with one line that names
        the file and the problem, or if there is more than one certificate.
        """
        first, *more = self.identities(side)
        if more:
            text = f"--cert is given {len(more) + 1} times, and a {side} can have only 1"
            fail(self.command, self.located(text))
        return first

    def identities(self, side: str) -> list[Credentials]:
        """Return all credentials of ``side``, at least one, as :meth:`credentials` does.

        All have the same trusted CAs.
        """
        now = datetime.now(timezone.utc)
        certs, keys = self["cert"], self["key"]
        if not keys and all(is_pkcs12(Path(each).expanduser()) for each in certs):
            keys = certs
        if len(certs) != len(keys) and max(len(certs), len(keys)) > 1:
            fail(
                self.command,
                self.located(
                    f"--cert is given {len(certs)} times and --key {len(keys)} times; "
                    "each needs the other"
                ),
            )
        try:
            return [
                self._identity(side, cert, key, now)
                for cert, key in zip_longest(certs or [None], keys or [None])
            ]
        except BadCredentials as problem:
            fail(self.command, problem)

    def _identity(self, side: str, cert: str | None, key: str | None, now: datetime) -> Credentials:
        own = Credentials(
            _absolute(cert), _absolute(key), _absolute(self["ca"]), self._passphrase()
        )
        own.check(now)
        if own.key is not None and own.key.stat().st_mode & 0o007:
            write_line(
                sys.stderr,
                f"{self.command}: every user can read the key {str(own.key)!r}; chmod 600 it",
            )
        if own.certificate is not None and own.authority is not None:
            return own
        demo: Credentials = getattr(self._demo(now), side)
        return Credentials(
            own.certificate or demo.certificate,
            own.key or demo.key,
            own.authority or demo.authority,
            own.passphrase,
        )

    def _passphrase(self) -> bytes | None:
        path = _absolute(self["passphrase-file"])
        if path is None:
            passphrase = os.environ.get(PASSPHRASE)
            return None if passphrase is None else passphrase.encode()
        try:
            return path.read_bytes().partition(b"\n")[0].rstrip(b"\r")
        except OSError as problem:
            raise BadCredentials(
                f"--passphrase-file is {str(path)!r}, and cannot be read: {problem.strerror}"
            ) from None

    def _demo(self, now: datetime) -> DemoCertificates:
        directory = _absolute(self["certs"]) or default_directory()
        demo = demo_certificates(directory, self["key-type"], now)
        if demo.made:
            made = f"made new certificates in {demo.authority.parent}"
            write_line(sys.stderr, f"{self.command}: {made}")
        return demo


def _absolute(path: str | None) -> Path | None:
    return None if path is None else Path(path).expanduser().absolute()


class TLSOptions(CredentialOptions):
    """The options of a TLS endpoint.

    ``self["policy"]`` is the :class:`~tlsdemo.tls.policy.Policy` that they describe.
    """

    optParameters: ClassVar[list[list[Any]]] = named([
        ["tls-min", None, None, "Lowest version of TLS: 1.2 or 1.3; 1.0 or 1.1 only with "
         "--ciphers that OpenSSL allows for them. [default: 1.2]", choice(TLSVersion)],
        ["tls-max", None, None, "Highest version of TLS. [default: 1.3]", choice(TLSVersion)],
        ["ciphers", None, CIPHERS, "Ciphers for TLS 1.2 and below, as an OpenSSL cipher list."],
        ["groups", None, None, "Groups for the key exchange, as an OpenSSL list. [default: "
         "X25519MLKEM768, X25519, P-256 and P-384, as far as OpenSSL knows them]"],
    ])  # fmt: skip

    groups: ClassVar[Mapping[Group, str]] = {
        Group.TLS: "tls-min tls-max ciphers groups",
    }

    def postOptions(self) -> None:
        """Validate the options together."""
        super().postOptions()
        default = Policy()
        try:
            self["policy"] = Policy(
                self["tls-min"] or default.lowest,
                self["tls-max"] or default.highest,
                self["ciphers"],
                self["groups"],
            )
        except BadPolicy as problem:
            option = {"lowest": "tls-min", "highest": "tls-max"}.get(problem.field, problem.field)
            reason = problem.reason.replace("the highest", "--tls-max")
            raise usage.UsageError(f"--{option} is {problem.value!r}, {reason}") from None
