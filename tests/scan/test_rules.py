"""The examples of each rule, and code that resembles the bad ones, but is right."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.lab.findings.finding_catalogue import FINDINGS
from tlsdemo.scan.rule_catalogue import RULES
from tlsdemo.scan.scanner import scan_source

PROTOCOL = "from twisted.internet.protocol import Protocol\n"
LISTENER = (
    PROTOCOL
    + "from twisted.internet.interfaces import IHandshakeListener\n"
    + "from zope.interface import implementer\n"
    + "@implementer(IHandshakeListener)\n"
)
LINES = "from twisted.protocols.basic import LineReceiver\n"
SSL = "from twisted.internet import ssl\n"
WRAP = "from twisted.internet.endpoints import wrapClientTLS\n"


def found(source: str) -> list[str]:
    """The names of the rules that are broken, with the lines."""
    hits = scan_source("a.py", source.encode(), RULES.values())
    return [f"{hit.rule}:{hit.line}" for hit in hits]


class Examples(SynchronousTestCase):
    def test_the_bad_one_is_found_once_and_by_this_rule_only(self) -> None:
        for name, rule in RULES.items():
            hits = scan_source("bad.py", rule.bad.encode(), RULES.values())
            self.assertEqual([hit.rule for hit in hits], [name])

    def test_in_the_good_one_nothing_is_found(self) -> None:
        for name, rule in RULES.items():
            self.assertEqual(found(rule.good), [], name)

    def test_findings_exist(self) -> None:
        named = {rule.finding for rule in RULES.values()} - {""}
        self.assertEqual(named - set(FINDINGS), set())

    def test_texts_are_sentences(self) -> None:
        for rule in RULES.values():
            for text in (rule.title, rule.why, rule.cure):
                self.assertTrue(text.endswith("."), text)


class NotFound(SynchronousTestCase):
    def check(self, *sources: str) -> None:
        for source in sources:
            self.assertEqual(found(source), [], source)

    def test_a_listener_that_may_be_declared_elsewhere(self) -> None:
        method = "    def handshakeCompleted(self): pass\n"
        self.check(
            f"from .base import Base\nclass A(Base):\n{method}",
            f"class Recorder:\n{method}",
            LISTENER + f"class A(Protocol): pass\nclass B(A):\n{method}",
            PROTOCOL + f"import my\n@my.implementer(my.IListener)\nclass A(Protocol):\n{method}",
            PROTOCOL
            + "from zope.interface import classImplements\n"
            + "from twisted.internet import interfaces\n"
            + f"class A(Protocol):\n{method}"
            + "classImplements(A, interfaces.IHandshakeListener)\n",
            LISTENER.replace("implementer", "implementer_only") + f"class A(Protocol):\n{method}",
            PROTOCOL
            + "from zope.interface import classImplementsFirst\n"
            + "from twisted.internet import interfaces\n"
            + f"class A(Protocol):\n{method}"
            + "classImplementsFirst(A, interfaces.IHandshakeListener)\n",
        )

    def test_a_listener_that_a_class_derived_from_it_declares(self) -> None:
        method = "    def handshakeCompleted(self): pass\n"
        imports, _, decorator = LISTENER.rpartition("@")
        self.check(imports + f"class A(Protocol):\n{method}@{decorator}class B(A): pass\n")

    def test_a_buffer_that_is_seen_to(self) -> None:
        begin = LINES + "class A(LineReceiver):\n    secure = 0\n    def upgrade(self):\n"
        start = "        if not self.secure: self.transport.startTLS(1)\n"
        self.check(
            begin + "        self.setRawMode()\n" + start,
            begin + "        rest = self._buffer\n" + start,
            begin + start + "    def lineReceived(self, line): self.clearLineBuffer()\n",
            LINES + "class A(LineReceiver):\n    def connectionMade(self):\n"
            "        self.transport.startTLS(1)\n",
        )

    def test_start_tls_with_a_state_somewhere(self) -> None:
        begin = PROTOCOL + "class A(Protocol):\n    def dataReceived(self, data):\n"
        start = "        self.transport.startTLS(1)\n"
        self.check(
            begin + "        assert self.phase == 1\n" + start,
            begin + "        self.dataReceived = self.later\n" + start,
            begin + "        match self.state:\n            case 1: pass\n" + start,
            begin + "        if ISSLTransport.providedBy(self.transport): return\n" + start,
            PROTOCOL + "from .a import B\nclass A(B, Protocol):\n    def go(self):\n" + start,
            # Once it is None, what is received goes elsewhere.
            begin + "        if self.owner.words: self.go()\n"
            "    def go(self):\n        self.owner.words = None\n" + start,
        )

    def test_private_names_that_never_run_or_are_none(self) -> None:
        self.check(
            "import typing\nif typing.TYPE_CHECKING:\n"
            "    from twisted.internet._sslverify import ClientTLSOptions\n",
            "from twisted.protocols.tls import TLSMemoryBIOFactory\n",
            "from ._sslverify import mine\n",
            "from twisted.protocols import tls\nprint(tls.__name__)\n",
            "class A:\n    def f(self): return self._tlsConnection\n# protocols\n",
        )

    def test_a_context_that_belongs_to_one_connection(self) -> None:
        begin = "from OpenSSL import SSL\nclass A:\n    def clientConnectionForTLS(self, p):\n"
        self.check(
            begin + "        c = SSL.Context(1)\n        c.set_options(1)\n"
            "        return SSL.Connection(c)\n",
            begin + "        c = Options().getContext()\n        c.set_options(1)\n",
            begin + "        c = self.ctx\n        c = SSL.Context(1)\n        c.set_options(1)\n",
            begin + "        b = SSL.Connection(self.c)\n        b.set_tlsext_host_name(b'a')\n",
        )

    def test_connect_and_a_wait(self) -> None:
        begin = WRAP + "async def f(a, b):\n    e = wrapClientTLS(1, 2)\n"
        self.check(
            begin + "    p = await e.connect(a)\n    p.transport.write(b'a')\n",
            begin + "    p = await b.connect(a)\n    p.verified = True\n",
            begin + "    p = await e.connect(a)\n    await p.done\n    p.verified = True\n",
        )

    def test_closing_with_a_flag(self) -> None:
        begin = LISTENER + "class A(Protocol):\n"
        self.check(
            begin + "    def handshakeCompleted(self): self.transport.loseConnection()\n",
            begin + "    def handshakeCompleted(self): self.reject()\n"
            "    def reject(self):\n        self.closed = 1\n"
            "        self.transport.abortConnection()\n"
            "    def dataReceived(self, data): assert not self.closed\n",
            begin + "    def handshakeCompleted(self): self.transport.loseConnection()\n"
            "    def dataReceived(self, data): assert not self.transport.disconnecting\n",
        )

    def test_a_client_that_verifies(self) -> None:
        self.check(
            SSL + "def f(r): r.connectSSL('a', 1, 2, ssl.CertificateOptions(trustRoot=3))\n",
            SSL + "def f(r, **a): r.connectSSL('a', 1, 2, ssl.CertificateOptions(**a))\n",
            SSL + "def f(r): r.listenSSL(1, 2, ssl.CertificateOptions())\n",
            SSL + "class A(ssl.ClientContextFactory):\n"
            "    def getContext(self): self.c.set_verify(1, 2)\n",
            "from .mine import ClientContextFactory\nClientContextFactory()\n",
            SSL + "class A(ssl.ClientContextFactory):\n"
            "    def getContext(self): return verifying()\n",
            SSL + "class A(ssl.ClientContextFactory):\n"
            "    def creatorForNetloc(self, h, p): return ssl.optionsForClientTLS(h)\n",
        )

    def test_connection_made_that_may_come_later(self) -> None:
        begin = PROTOCOL + "class A(Protocol):\n    def connectionMade(self):\n"
        asked = "self.transport.getPeerCertificate()\n"
        self.check(
            begin + f"        self.later(lambda: {asked.strip()})\n",
            begin + f"        {asked}" + "    def handshakeCompleted2(self):\n"
            "        self.inner.connectionMade()\n",
        )


class Found(SynchronousTestCase):
    """Other forms than those of the examples."""

    def test_by_other_names(self) -> None:
        for source, expected in (
            (WRAP + "async def f(a):\n    e = wrapClientTLS(1, 2)\n    p = await e.connect(a)\n"
             "    return p.transport.negotiatedProtocol\n", "connect-not-verified:5"),
            (SSL + "def f(r):\n    o = ssl.CertificateOptions()\n    r.connectSSL('a', 1, 2, o)\n",
             "unverified-server:3"),
            (SSL + "class P:\n    def creatorForNetloc(self, h, p):\n"
             "        return ssl.CertificateOptions(verify=False)\n", "unverified-server:4"),
            (SSL + "class A(ssl.ClientContextFactory): pass\n", "unverified-server:2"),
            ("from my.util import ssl\nssl.ClientContextFactory()\n", "unverified-server:2"),
            ("from twisted.protocols import tls\ntls._PullToPush\n", "private-tls-name:2"),
            ("import twisted.internet._sslverify\n", "private-tls-name:1"),
            ("import twisted.internet.ssl\nprint(twisted.internet._sslverify.A)\n",
             "private-tls-name:2"),
            ("def f(a):\n    a.transport.protocol._tlsConnection.shutdown()\n",
             "private-tls-name:2"),
            (SSL + "class A(ssl.ClientContextFactory):\n    def getContext(self):\n"
             "        return ssl.ClientContextFactory.getContext(self)\n", "unverified-server:2"),
            ("from OpenSSL import SSL\n" + SSL + "class A(ssl.ClientContextFactory):\n"
             "    def getContext(self): return SSL.Context(1)\n", "unverified-server:3"),
            ("from twisted.internet import _sslverify\n", "private-tls-name:1"),
            ("from OpenSSL import SSL\ndef f(c):\n    d = SSL.Connection(c)\n"
             "    c.set_options(1)\n", "context-changed-late:4"),
            ("class A:\n    def serverConnectionForTLS(self, p):\n"
             "        self._ctx.set_options(1)\n", "context-changed-late:3"),
            (LISTENER + "class A(Protocol):\n    def handshakeCompleted(self):\n"
             "        self.reject()\n    def reject(self): self.transport.loseConnection()\n"
             "    def dataReceived(self, data): pass\n", "rejected-but-delivered:7"),
            (PROTOCOL + "class A(Protocol):\n    def connectionMade(self):\n"
             "        print(self.transport.negotiatedProtocol)\n", "secure-at-connection-made:4"),
            (PROTOCOL + "class A(Protocol):\n    def dataReceived(self, data):\n"
             "        if self.rest:\n            self.rest = b''\n"
             "            self.transport.startTLS(1)\n", "unguarded-start-tls:6"),
            (PROTOCOL + "class A(Protocol): pass\nclass B(A):\n"
             "    def handshakeCompleted(self): pass\n", "undeclared-handshake-listener:4"),
        ):  # fmt: skip
            self.assertEqual(found(source), [expected], source)
