"""The versions of TLS, the cipher suites and the groups that are allowed."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from OpenSSL import SSL

from tlsdemo.tls.groups import CAN_SET_GROUPS, set_groups

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""TLS 1.2 suites: only AEAD with forward secrecy (RFC 9325, section 4.2), as all of TLS 1.3."""


GROUPS = ("*X25519MLKEM768/*X25519:P-256/P-384", "X25519:P-256:P-384", "P-256:P-384")
"""The default groups of the key exchange; the first list that OpenSSL knows.

Those that a server of Mozilla's intermediate profile has, and the hybrid that protects what is
recorded today from the quantum computers of tomorrow.  Not among them: ffdhe groups and P-521, with
which a ClientHello costs a server several times as much CPU.  A star: the client sends a key share
of this group at once; a slash: what is before it is preferred (OpenSSL 3.5,
SSL_CTX_set1_groups_list(3ssl)).  The last list is for an OpenSSL without X25519.
"""


class TLSVersion(enum.Enum):
    """The versions of TLS, from the lowest to the highest."""

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

# Elements of a cipher list that add no ciphers: a removal, a new order, a command (@SECLEVEL=0).
_NO_NAME = ("!", "-", "+", "@")


class BadPolicy(ValueError):
    """A policy that OpenSSL does not support.

    Attributes:
        field: The name of the attribute of :class:`Policy` that is wrong.
        value: Its value, as text.
        reason: Why it is wrong.
    """

    def __init__(self, field: str, value: str, reason: str) -> None:
        super().__init__(f"{field} is {value!r}, {reason}")
        self.field = field
        self.value = value
        self.reason = reason


@dataclass(frozen=True)
class Policy:
    """The versions and cipher suites that one end allows, validated with OpenSSL.

    Attributes:
        lowest: The lowest version.  RFC 8996 forbids versions below 1.2; one of those also needs
            ``ciphers`` that it supports, and ``@SECLEVEL=0`` among them.
        highest: The highest version.
        ciphers: An OpenSSL cipher list (openssl-ciphers(1)) for TLS 1.2 and below, without
            unknown names.  For TLS 1.3 OpenSSL's default suites are used.
        groups: An OpenSSL list of groups (SSL_CTX_set1_groups_list(3ssl)), in order of
            preference; ``None`` for `GROUPS`, or OpenSSL's own if pyOpenSSL cannot set any.

    Raises:
        BadPolicy: If ``lowest`` is above ``highest``, or OpenSSL does not support the policy.
    """

    lowest: TLSVersion = TLSVersion.TLS_1_2
    highest: TLSVersion = TLSVersion.TLS_1_3
    ciphers: str = CIPHERS
    groups: str | None = None

    def __post_init__(self) -> None:
        if _NUMBERS[self.lowest] > _NUMBERS[self.highest]:
            reason = f"above the highest, which is {self.highest.value!r}"
            raise BadPolicy("lowest", self.lowest.value, reason)
        names = [each for each in re.split("[:, ]", self.ciphers) if not each.startswith(_NO_NAME)]
        for name in (self.ciphers, *filter(None, names)):
            self._check_ciphers(name)
        if self.groups is not None:
            self._check_groups(self.groups)
        for field in ("lowest", "highest"):
            self._check_version(field)

    def apply(self, context: SSL.Context) -> None:
        """Apply this policy to ``context``, and disable renegotiation and compression."""
        self._limit(context, self.lowest, self.highest)
        if self.groups is not None:
            set_groups(context, self.groups)
        elif DEFAULT_GROUPS:
            set_groups(context, DEFAULT_GROUPS)
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
            reason = (
                f"{which} no cipher of TLS 1.2 or below that OpenSSL knows ({reasons_of(error)})"
            )
            raise BadPolicy("ciphers", self.ciphers, reason.strip()) from None

    def _check_groups(self, groups: str) -> None:
        if not CAN_SET_GROUPS:
            reason = "and this version of pyOpenSSL cannot set groups; leave them out"
            raise BadPolicy("groups", groups, reason)
        if not groups or not set_groups(SSL.Context(SSL.TLS_METHOD), groups):
            reason = "not a list of groups that OpenSSL knows, such as 'X25519:P-256'"
            raise BadPolicy("groups", groups, reason)

    def _check_version(self, field: str) -> None:
        version: TLSVersion = getattr(self, field)
        context = SSL.Context(SSL.TLS_METHOD)
        self._limit(context, version, version)
        connection = SSL.Connection(context, None)
        connection.set_connect_state()
        try:
            # OpenSSL finds out what a version needs only when it has to write a ClientHello.
            connection.do_handshake()
        except SSL.WantReadError:
            pass
        except SSL.Error as error:
            reason = (
                f"which OpenSSL cannot do with the ciphers {self.ciphers!r} ({reasons_of(error)})"
            )
            raise BadPolicy(field, version.value, reason) from None


def reasons_of(error: SSL.Error) -> str:
    """Return the reasons of an OpenSSL error in one line."""
    return "; ".join(each[-1] for each in error.args[0]) if error.args else str(error)


DEFAULT_GROUPS = next(
    (each for each in GROUPS if set_groups(SSL.Context(SSL.TLS_METHOD), each)), ""
)
"""The default groups that OpenSSL knows; empty if none can be set."""
