from __future__ import annotations

from types import SimpleNamespace

from OpenSSL import SSL
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.tls import groups


class Connection:
    """A connection of a version of pyOpenSSL that knows groups, whose OpenSSL may not."""

    def __init__(self, name: str | None = None) -> None:
        self.name = name

    def get_group_name(self) -> str:
        if self.name is None:
            raise NotImplementedError
        return self.name


class GroupTests(SynchronousTestCase):
    def test_they_can_be_set_if_openssl_knows_all_of_them(self) -> None:
        context = SSL.Context(SSL.TLS_METHOD)
        self.assertEqual(groups.set_groups(context, "X25519:P-256"), groups.CAN_SET_GROUPS)
        self.assertFalse(groups.set_groups(context, "X25519:nonsense"))

    def test_an_unknown_one_leaves_no_error_behind(self) -> None:
        context = SSL.Context(SSL.TLS_METHOD)
        groups.set_groups(context, "nonsense")
        self.assertEqual(SSL._lib.ERR_peek_error(), 0)  # type: ignore[attr-defined]

    def test_they_cannot_be_set_without_the_binding(self) -> None:
        self.patch(groups, "CAN_SET_GROUPS", False)
        self.assertFalse(groups.set_groups(SSL.Context(SSL.TLS_METHOD), "X25519"))

    def test_the_agreed_one_is_known_if_pyopenssl_and_openssl_can_tell(self) -> None:
        for connection, name in (
            (Connection("x25519"), "x25519"),
            (Connection(), None),
            (SimpleNamespace(), None),
        ):
            self.assertEqual(groups.group_of(connection), name)  # type: ignore[arg-type]
