"""Which versions of TLS and which ciphers we take part in."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from OpenSSL import SSL

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""TLS 1.2 suites: forward secrecy and AEAD only (RFC 9325, section 4.2); 1.3 has no others."""


class TLSVersion(enum.Enum):
    """The versions of TLS, in their order."""

    TLS_1_0 = "1.0"
    TLS_1_1 = "1.1"
    TLS_1_2 = "1.2"
    TLS_1_3 = "1.3"


_NUMBERS = {
    TLSVersion.TLS_1_0: SSL.TLS1_VERSION,
    TLSVersion.TLS_1_1: SSL.TLS1_1_VERSION,
    TLSVersion.TLS_1_2: SSL.TLS1_2_VERSION,
    TLSVersion.TLS_1_3: SSL.TLS1_3_VERSION,
}

# What adds no ciphers: a removal, a change of order, or an order such as @SECLEVEL=0.
_NO_NAME = ("!", "-", "+", "@")


class BadPolicy(ValueError):
    """A policy that OpenSSL cannot follow.

    ``field`` and ``value`` tell which attribute of :class:`Policy` is wrong, as text, and
    ``reason`` why.
    """

    def __init__(self, field: str, value: str, reason: str) -> None:
        super().__init__(f"{field} is {value!r}, {reason}")
        self.field = field
        self.value = value
        self.reason = reason


@dataclass(frozen=True)
class Policy:
    """What a side agrees to: a Policy that exists is one that OpenSSL can follow.

    Attributes:
        lowest: The lowest version. RFC 8996 forbids those below 1.2; whoever needs one has to
            give ``ciphers`` that it has, and OpenSSL's leave to use them (``@SECLEVEL=0``).
        highest: The highest version.
        ciphers: An OpenSSL cipher list, for TLS 1.2 and below; each name in it must be known.
            The suites of TLS 1.3 are OpenSSL's own, all of them forward-secret AEAD.

    Raises:
        BadPolicy: If ``lowest`` is above ``highest``, or OpenSSL cannot follow it.
    """

    lowest: TLSVersion = TLSVersion.TLS_1_2
    highest: TLSVersion = TLSVersion.TLS_1_3
    ciphers: str = CIPHERS

    def __post_init__(self) -> None:
        if _NUMBERS[self.lowest] > _NUMBERS[self.highest]:
            reason = f"above the highest, which is {self.highest.value!r}"
            raise BadPolicy("lowest", self.lowest.value, reason)
        names = [each for each in re.split("[:, ]", self.ciphers) if not each.startswith(_NO_NAME)]
        for name in (self.ciphers, *filter(None, names)):
            self._check_ciphers(name)
        for field in ("lowest", "highest"):
            self._check_version(field)

    def apply(self, context: SSL.Context) -> None:
        """Have ``context`` follow this policy, without renegotiation and compression."""
        self._limit(context, self.lowest, self.highest)
        context.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION)

    def _limit(self, context: SSL.Context, lowest: TLSVersion, highest: TLSVersion) -> None:
        context.set_min_proto_version(_NUMBERS[lowest])
        context.set_max_proto_version(_NUMBERS[highest])
        context.set_cipher_list(self.ciphers.encode())

    def _check_ciphers(self, name: str) -> None:
        try:
            SSL.Context(SSL.TLS_METHOD).set_cipher_list(name.encode())
        except SSL.Error as error:
            which = "" if name == self.ciphers else f"and {name!r} is"
            reason = f"{which} no cipher of TLS 1.2 or below that OpenSSL knows ({said(error)})"
            raise BadPolicy("ciphers", self.ciphers, reason.strip()) from None

    def _check_version(self, field: str) -> None:
        version: TLSVersion = getattr(self, field)
        context = SSL.Context(SSL.TLS_METHOD)
        self._limit(context, version, version)
        connection = SSL.Connection(context, None)
        connection.set_connect_state()
        try:
            # What a version needs, OpenSSL tells only when it has to write a ClientHello.
            connection.do_handshake()
        except SSL.WantReadError:
            pass
        except SSL.Error as error:
            reason = f"which OpenSSL cannot do with the ciphers {self.ciphers!r} ({said(error)})"
            raise BadPolicy(field, version.value, reason) from None


def said(error: SSL.Error) -> str:
    """Return what OpenSSL says of an error, in one line."""
    return "; ".join(each[-1] for each in error.args[0]) if error.args else str(error)
