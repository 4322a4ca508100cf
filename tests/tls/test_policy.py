from __future__ import annotations

import ssl
from unittest import mock

from OpenSSL import SSL
from twisted.trial.unittest import SynchronousTestCase

from tests.support import UNKNOWN_GROUPS, certificates, subject_of
from tests.tls.memory_ends import (
    TLS12,
    TLS13,
    End,
    ForeignPeer,
    anonymous,
    foreign_client,
    foreign_server,
    server_tls,
)
from tlsdemo.tls import ClientAuth, ClientTLS, ModeName, ServerTLS
from tlsdemo.tls import policy as policy_module
from tlsdemo.tls.groups import CAN_SET_GROUPS
from tlsdemo.tls.policy import CIPHERS, BadPolicy, Policy, TLSVersion, reasons_of

TLS11 = ssl.TLSVersion.TLSv1_1
OLD = "ECDHE+AES:@SECLEVEL=0"


def complete(tls: ServerTLS | ClientTLS, peer: ForeignPeer) -> bool:
    End(ModeName.PAIR, tls).begin().exchange_with(peer)
    return peer.complete and peer.error is None


def version_with(policy: Policy, peers: ssl.TLSVersion) -> tuple[bool, bool]:
    """Whether our server, and our client, would talk with such a peer."""
    demo = certificates()
    server = ServerTLS.build(demo.server, policy=policy)
    client = ClientTLS.build(demo.client, "localhost", policy=policy)
    return (
        complete(server, foreign_client(version=peers)),
        complete(client, foreign_server(version=peers)),
    )


ML_KEM = [4588] if "MLKEM" in policy_module.DEFAULT_GROUPS else []
"""X25519MLKEM768, if OpenSSL knows it (from 3.5 on)."""


def offered_groups(policy: Policy | None) -> list[int]:
    """The supported groups in a ClientHello (RFC 8446, section 4.2.7), without GREASE."""
    context = SSL.Context(SSL.TLS_METHOD)
    if policy is not None:
        policy.apply(context)
    connection = SSL.Connection(context, None)
    connection.set_connect_state()
    try:
        connection.do_handshake()
    except SSL.WantReadError:
        hello = connection.bio_read(1 << 15)
    value = extension(hello[5:], 10)[2:]
    return [int.from_bytes(value[at : at + 2], "big") for at in range(0, len(value), 2)]


def extension(hello: bytes, number: int) -> bytes:
    at = 38
    at += 1 + hello[at]
    at += 2 + int.from_bytes(hello[at : at + 2], "big")
    at += 1 + hello[at] + 2
    while int.from_bytes(hello[at : at + 2], "big") != number:
        at += 4 + int.from_bytes(hello[at + 2 : at + 4], "big")
    return hello[at + 4 :][: int.from_bytes(hello[at + 2 : at + 4], "big")]


class PolicyTests(SynchronousTestCase):
    def bad(self, *fields: object) -> BadPolicy:
        problem: BadPolicy = self.assertRaises(BadPolicy, Policy, *fields)
        return problem

    def test_the_default_is_strict(self) -> None:
        self.assertEqual(Policy(), Policy(TLSVersion.TLS_1_2, TLSVersion.TLS_1_3, CIPHERS))
        self.assertEqual(version_with(Policy(), TLS11), (False, False))
        self.assertEqual(version_with(Policy(), TLS12), (True, True))
        self.assertEqual(version_with(Policy(), TLS13), (True, True))

    def test_it_can_require_one_version(self) -> None:
        for policy, refused, taken in (
            (Policy(lowest=TLSVersion.TLS_1_3), TLS12, TLS13),
            (Policy(highest=TLSVersion.TLS_1_2), TLS13, TLS12),
        ):
            self.assertEqual(version_with(policy, refused), (False, False))
            self.assertEqual(version_with(policy, taken), (True, True))

    def test_it_can_allow_an_old_version_with_ciphers_that_support_it(self) -> None:
        policy = Policy(lowest=TLSVersion.TLS_1_1, ciphers=OLD)
        self.assertEqual(version_with(policy, TLS11), (True, True))

    def test_a_lowest_version_that_no_cipher_supports_is_refused(self) -> None:
        for version in (TLSVersion.TLS_1_0, TLSVersion.TLS_1_1):
            problem = self.bad(version)
            self.assertEqual((problem.field, problem.value), ("lowest", version.value))
            self.assertEqual(
                str(problem),
                f"lowest is {version.value!r}, which OpenSSL cannot do with the ciphers "
                f"{CIPHERS!r} (no protocols available)",
            )
        self.assertEqual(self.bad(TLSVersion.TLS_1_3, TLSVersion.TLS_1_0).field, "lowest")

    def test_a_highest_version_that_no_cipher_supports_is_refused(self) -> None:
        limit = SSL.Context.set_min_proto_version

        def no_1_2(context: SSL.Context, version: int) -> None:
            limit(context, SSL.TLS1_3_VERSION if version == SSL.TLS1_2_VERSION else version)

        with mock.patch.object(SSL.Context, "set_min_proto_version", no_1_2):
            problem = self.bad(TLSVersion.TLS_1_1, TLSVersion.TLS_1_2, OLD)
        self.assertEqual((problem.field, problem.value), ("highest", "1.2"))

    def test_the_lowest_version_must_not_be_above_the_highest(self) -> None:
        problem = self.bad(TLSVersion.TLS_1_3, TLSVersion.TLS_1_2)
        self.assertEqual(str(problem), "lowest is '1.3', above the highest, which is '1.2'")

    def test_every_cipher_list_of_openssl_is_accepted(self) -> None:
        for ciphers in (
            *("ECDHE+AESGCM:!AES256", "DEFAULT", "ECDHE-ECDSA-AES128-GCM-SHA256", OLD),
            *("HIGH:-AES128:@STRENGTH", "ECDHE+AESGCM, ECDHE+CHACHA20", "DEFAULT:@SECLEVEL=2"),
        ):
            self.assertEqual(Policy(ciphers=ciphers).ciphers, ciphers)

    def test_unknown_ciphers_are_refused(self) -> None:
        for ciphers in ("", "nonsense", "sch\u00f6n", "!AES", "TLS_AES_128_GCM_SHA256"):
            self.assertEqual(
                str(self.bad(TLSVersion.TLS_1_2, TLSVersion.TLS_1_3, ciphers)),
                f"ciphers is {ciphers!r}, no cipher of TLS 1.2 or below that OpenSSL knows "
                "(no cipher match)",
            )
        for ciphers in ("DEFAULT:nonsense", "nonsense,ECDHE", "ECDHE nonsense:!AES128"):
            self.assertIn(
                f"ciphers is {ciphers!r}, and 'nonsense' is no cipher of TLS 1.2",
                str(self.bad(TLSVersion.TLS_1_2, TLSVersion.TLS_1_3, ciphers)),
            )

    def test_the_default_groups_are_mozillas_and_a_post_quantum_one(self) -> None:
        mozillas = [*ML_KEM, 29, 23, 24]
        openssls = offered_groups(None)
        self.assertEqual(offered_groups(Policy()), mozillas if CAN_SET_GROUPS else openssls)

    def test_it_decides_the_groups(self) -> None:
        if CAN_SET_GROUPS:
            self.assertEqual(offered_groups(Policy(groups="P-384:X25519")), [24, 29])
        else:
            self.assertIn("cannot set groups", self.bad_groups("P-384:X25519"))

    def test_unknown_groups_are_refused(self) -> None:
        for groups in ("", "nonsense", "X25519:nonsense"):
            self.assertEqual(self.bad_groups(groups), f"groups is {groups!r}, {UNKNOWN_GROUPS}")

    def bad_groups(self, groups: str) -> str:
        return str(self.bad(TLSVersion.TLS_1_2, TLSVersion.TLS_1_3, CIPHERS, groups))

    def test_without_a_way_to_set_groups_they_are_openssls(self) -> None:
        self.patch(policy_module, "CAN_SET_GROUPS", False)
        self.patch(policy_module, "DEFAULT_GROUPS", "")
        self.assertIn(29, offered_groups(Policy()))
        self.assertIn("this version of pyOpenSSL cannot set groups", self.bad_groups("X25519"))

    def test_it_decides_the_negotiated_cipher(self) -> None:
        wanted = "ECDHE-ECDSA-AES256-GCM-SHA384"
        tls = ServerTLS.build(certificates().server, policy=Policy(ciphers=wanted))
        peer = foreign_client(version=TLS12)
        self.assertTrue(complete(tls, peer))
        agreed = peer.tls.cipher()
        assert agreed is not None
        self.assertEqual(agreed[0], wanted)
        other = foreign_client(version=TLS12, ciphers="ECDHE-ECDSA-AES128-GCM-SHA256")
        self.assertFalse(complete(tls, other))


class ReasonsOfTests(SynchronousTestCase):
    def test_they_are_one_line(self) -> None:
        for error, line in (
            (SSL.Error([("SSL routines", "", "a"), ("SSL routines", "", "b")]), "a; b"),
            (SSL.Error(), ""),
        ):
            self.assertEqual(reasons_of(error), line)


class ResumptionTests(SynchronousTestCase):
    def resumed(self, tls: ServerTLS, version: ssl.TLSVersion, again: ServerTLS) -> bool:
        first = foreign_client(version=version)
        self.assertTrue(complete(tls, first))
        assert first.tls.session is not None
        self.assertTrue(first.tls.session.has_ticket)
        second = foreign_client(context=first.tls.context, session=first.tls.session)
        end = End(ModeName.PAIR, again).begin()
        end.exchange_with(second)
        info = end.listener.info
        assert info is not None
        # The client's identity is known, whether or not the session was resumed.
        self.assertEqual(info.peer, subject_of(certificates().client))
        return bool(second.tls.session_reused)

    def test_it_works_with_tickets(self) -> None:
        for version in (TLS12, TLS13):
            self.assertTrue(self.resumed(server_tls(), version, server_tls()))

    def test_it_works_without_client_certificates(self) -> None:
        tls = server_tls(client_auth=ClientAuth.NONE)
        for version in (TLS12, TLS13):
            first = foreign_client(credentials=anonymous(), version=version)
            self.assertTrue(complete(tls, first))
            second = foreign_client(context=first.tls.context, session=first.tls.session)
            self.assertTrue(complete(tls, second))
            self.assertTrue(second.tls.session_reused)

    def test_tickets_of_another_context_are_not_accepted(self) -> None:
        other = ServerTLS.build(certificates().server)
        for version in (TLS12, TLS13):
            self.assertFalse(self.resumed(server_tls(), version, other))

    def test_the_server_keeps_no_session_for_clients_without_tickets(self) -> None:
        first = foreign_client(version=TLS12)
        first.tls.context.options |= ssl.OP_NO_TICKET
        without = foreign_client(context=first.tls.context)
        self.assertTrue(complete(server_tls(), without))
        again = foreign_client(context=first.tls.context, session=without.tls.session)
        self.assertTrue(complete(server_tls(), again))
        self.assertFalse(again.tls.session_reused)
