"""What the command lines have in common: options that are checked, and errors of one line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from enum import Enum
from itertools import zip_longest
from pathlib import Path
from typing import Any, ClassVar, NoReturn, TypeVar

from twisted.internet import endpoints
from twisted.internet.interfaces import IReactorCore
from twisted.python import usage

from tlsdemo.certificates.demo_ca import (
    KEY_TYPES,
    DemoCertificates,
    default_directory,
    demo_certificates,
)
from tlsdemo.certificates.files import BadCredentials, Credentials
from tlsdemo.tls.policy import CIPHERS, BadPolicy, Policy, TLSVersion

_E = TypeVar("_E", bound=Enum)


def fail(command: str, problem: object, status: int = 2) -> NoReturn:
    """End the command with one line on standard error, and ``status``."""
    sys.stderr.write(f"{command}: {problem}\n")
    raise SystemExit(status)


def whole(least: int, most: int = 1 << 40) -> Callable[[str], int]:
    """Return a reader of whole numbers from ``least`` to ``most``."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise ValueError("not a whole number") from None
        if not least <= number <= most:
            raise ValueError(f"not between {least:,} and {most:,}")
        return number

    return read


def seconds(least: float, most: float = 1e6) -> Callable[[str], float]:
    """Return a reader of seconds, with decimals if wanted, from ``least`` to ``most``."""

    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            raise ValueError("not a number of seconds") from None
        if not least <= number <= most:
            raise ValueError(f"not between {least:g} and {most:,.0f} seconds")
        return number

    return read


def choice(names: type[_E]) -> Callable[[str], _E]:
    """Return a reader of one of the values of an enum."""

    def read(text: str) -> _E:
        try:
            return names(text)
        except ValueError:
            known = ", ".join(str(each.value) for each in names)
            raise ValueError(f"none of {known}") from None

    return read


def named(parameters: list[list[Any]]) -> list[list[Any]]:
    """Return ``parameters`` with readers whose errors name the option, which Twisted leaves out."""
    return [each if len(each) < 5 else [*each[:4], _named(each[0], each[4])] for each in parameters]


def _named(name: str, read: Callable[[str], object]) -> Callable[[str], object]:
    def read_named(text: str) -> object:
        try:
            return read(text)
        except ValueError as problem:
            raise ValueError(f"--{name} is {text!r}, {problem}") from None

    return read_named


class Options(usage.Options):
    """Options whose every problem is told in one line that names the option and the value."""

    command: ClassVar[str] = "tlsdemo"

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """Read the options; ends the process with status 2 if they cannot be."""
        try:
            super().parseOptions(options)
        except usage.UsageError as problem:
            text = str(problem).removeprefix("Parameter type enforcement failed: ")
            fail(self.command, f"{text} (try: {self.command} --help)")

    def getSynopsis(self) -> str:
        """Return how the command is called; Twisted would say how its parent is, and then that."""
        own = str(getattr(self, "synopsis", ""))
        return own if own.startswith("Usage:") else str(super().getSynopsis())

    def parseArgs(self, *arguments: str) -> None:
        """Refuse arguments that are no options."""
        if arguments:
            raise usage.UsageError(f"{arguments[0]!r} is not understood: it is no option")


class CredentialOptions(Options):
    """The options that say what to prove oneself with, and whom to trust."""

    optParameters: ClassVar[list[list[Any]]] = [
        ["ca", None, None, "Authorities whose certificates we accept, a PEM file. "
         "[default: the demonstration's authority]"],
        ["key-type", None, "ecdsa", "The kind of the demonstration's keys: ecdsa (P-256) or rsa."],
        ["certs", None, None, "Where the demonstration's certificates are kept. "
         "[default: certs/ of a checkout, otherwise the user's data directory]"],
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self["cert"], self["key"] = [], []

    def opt_cert(self, path: str) -> None:
        """Our certificate chain, a PEM file, our own certificate first.

        A server can have several: each --cert with its --key, the first pair for clients that ask
        for no name that one of the certificates has. [default: one made for this demonstration]
        """
        self["cert"].append(path)

    def opt_key(self, path: str) -> None:
        """The private key of --cert, a PEM file without a passphrase."""
        self["key"].append(path)

    def credentials(self, side: str) -> Credentials:
        """Return what ``side`` (``server`` or ``client``) proves itself with, all checked.

        Makes the demonstration's certificates if they are needed.  Ends the process with one
        line that says which file is wrong and why, or that there is more than one pair.
        """
        first, *more = self.identities(side)
        if more:
            fail(self.command, f"--cert is given {len(more) + 1} times, and a {side} shows one")
        return first

    def identities(self, side: str) -> list[Credentials]:
        """Return all that ``side`` can prove itself with, as :meth:`credentials` does; never none.

        All trust the same authority.
        """
        now = datetime.now(timezone.utc)
        if self["key-type"] not in KEY_TYPES:
            fail(self.command, f"--key-type is {self['key-type']!r}, not {' or '.join(KEY_TYPES)}")
        certs, keys = self["cert"], self["key"]
        if len(certs) != len(keys) and max(len(certs), len(keys)) > 1:
            fail(
                self.command,
                f"--cert is given {len(certs)} times and --key {len(keys)} times; "
                "each needs the other",
            )
        try:
            return [
                self._identity(side, cert, key, now)
                for cert, key in zip_longest(certs or [None], keys or [None])
            ]
        except BadCredentials as problem:
            fail(self.command, problem, status=1)

    def _identity(self, side: str, cert: str | None, key: str | None, now: datetime) -> Credentials:
        own = Credentials(*map(_absolute, (cert, key, self["ca"])))
        own.check(now)
        if own.certificate is not None and own.authority is not None:
            return own
        demo: Credentials = getattr(self._demo(now), side)
        return Credentials(
            own.certificate or demo.certificate,
            own.key or demo.key,
            own.authority or demo.authority,
        )

    def _demo(self, now: datetime) -> DemoCertificates:
        directory = _absolute(self["certs"]) or default_directory()
        demo = demo_certificates(directory, self["key-type"], now)
        if demo.made:
            sys.stderr.write(f"{self.command}: made new certificates in {demo.authority.parent}\n")
        return demo


def _absolute(path: str | None) -> Path | None:
    return None if path is None else Path(path).expanduser().absolute()


class TLSOptions(CredentialOptions):
    """The options of a side that can be told how strict it has to be.

    ``self["policy"]`` is the :class:`~tlsdemo.tls.policy.Policy` that they describe.
    """

    optParameters: ClassVar[list[list[Any]]] = named([
        ["tls-min", None, None, "The lowest version of TLS: 1.2 or 1.3; 1.0 or 1.1 only with "
         "--ciphers that OpenSSL allows there. [default: 1.2]", choice(TLSVersion)],
        ["tls-max", None, None, "The highest version of TLS. [default: 1.3]", choice(TLSVersion)],
        ["ciphers", None, CIPHERS, "The ciphers of TLS 1.2 and below, an OpenSSL cipher list."],
    ])  # fmt: skip

    def postOptions(self) -> None:
        """Check what only shows when all options are known."""
        super().postOptions()
        default = Policy()
        try:
            self["policy"] = Policy(
                self["tls-min"] or default.lowest,
                self["tls-max"] or default.highest,
                self["ciphers"],
            )
        except BadPolicy as problem:
            option = {"lowest": "tls-min", "highest": "tls-max"}.get(problem.field, problem.field)
            reason = problem.reason.replace("the highest", "--tls-max")
            raise usage.UsageError(f"--{option} is {problem.value!r}, {reason}") from None


def check_server_endpoint(reactor: IReactorCore, option: str, where: str) -> None:
    """Raise UsageError with the reason if ``where`` is no server endpoint string."""
    _check(endpoints.serverFromString, reactor, option, where, "tcp:8899:interface=127.0.0.1")


def check_client_endpoint(reactor: IReactorCore, option: str, where: str) -> None:
    """Raise UsageError with the reason if ``where`` is no client endpoint string."""
    _check(endpoints.clientFromString, reactor, option, where, "tcp:127.0.0.1:8899")


def _check(parse: Any, reactor: object, option: str, where: str, example: str) -> None:
    try:
        parse(reactor, where)
    except Exception as problem:
        # Endpoint parsers are plugins: what they raise for a bad string is up to them.
        raise usage.UsageError(
            f"--{option} is {where!r}, which is no endpoint string such as {example} ({problem})"
        ) from None
