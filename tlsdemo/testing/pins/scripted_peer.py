"""The peer of a pinned protocol: a dialect, then Python's ``ssl``, in memory.

Theory of operation.  The peer is fed the bytes of the wire and asked for its own.  It reacts to
what arrives; what it does of its own accord, it does in `proceed`, which is called when the wire is
quiet.  So what it does does not depend on how the bytes were cut into pieces.
"""

from __future__ import annotations

import enum
import ssl
import warnings
from collections.abc import Callable
from typing import Any

from tlsdemo.lab.scenarios import Action
from tlsdemo.starttls.negotiation import Command, Say, State, Switch
from tlsdemo.testing.pins.peer_certificates import (
    OTHER_NAME,
    load_certificate,
    unknown_authority,
)
from tlsdemo.testing.pins.situations import Situation, peer_acts
from tlsdemo.testing.pins.subject import Subject
from tlsdemo.testing.ssl_peer import SSLPeer
from tlsdemo.testing.temporary_certificates import temporary_certificates
from tlsdemo.trace.model import End
from tlsdemo.trace.tls_detection import excerpt

_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


class Ending(enum.Enum):
    """How the peer ends the connection."""

    NOT = "not"
    FIN = "with a FIN, once all is sent"
    RESET = "with a RST, at once"


class ScriptedPeer:
    """One end of a wire, see `tlsdemo.testing.memory_connection.WireEnd`.

    Args:
        subject: What it is the peer of.
        situation: What it does.
        report: Called with what happens at this end: a name and facts.
        context: The TLS context of an earlier connection; by default a new one.
        session: The session to resume.

    Attributes:
        connected: Whether the connection has not ended.
        ending: How it ends the connection.
        ignores: Whether what arrives has been lost on the way since.
        tls: The TLS layer, once TLS has started.
    """

    def __init__(
        self,
        subject: Subject,
        situation: Situation,
        report: Callable[..., object],
        context: ssl.SSLContext | None = None,
        session: ssl.SSLSession | None = None,
    ) -> None:
        self._subject = subject
        self._situation = situation
        self._report = report
        self.context = context or _context(subject, situation)
        self._session = session
        self._negotiation = subject.negotiation()
        self._is_client = subject.peer is End.CLIENT
        self.tls: SSLPeer | None = None
        self._plain = b""
        self._secure = self._told_error = self._told_close = False
        self._read = 0
        self._said = False
        self._read_before = 0
        self._acted = False
        self.connected = True
        self.ending = Ending.NOT
        self.ignores = False

    def start(self) -> None:
        """Say what comes first."""
        self._follow(self._negotiation.start())

    @property
    def session(self) -> ssl.SSLSession | None:
        """The session of a client, for another connection; None if there is none."""
        return self.tls.tls.session if self.tls is not None and self._secure else None

    # A wire's end.

    def take(self) -> bytes:
        """Return what is to be sent."""
        plain, self._plain = self._plain, b""
        return plain + (self.tls.take() if self.tls is not None else b"")

    def deliver(self, data: bytes) -> None:
        """Receive ``data``."""
        if self.ignores or self.ending is not Ending.NOT:
            return
        if self._negotiation.state.final:
            self._feed(data)
        else:
            self._follow(self._negotiation.receive(data))

    def turn(self) -> None:
        """Disconnect if that is due; all has been taken."""
        if self.ending is not Ending.NOT:
            self.connected = False

    def lose(self, reason: BaseException) -> None:
        """Be disconnected; that is no news if this end was about to disconnect."""
        if self.ending is Ending.NOT:
            self._report("disconnected", reason=type(reason).__name__)
        self.connected = False

    # What it does.

    def proceed(self, idle: bool = True) -> bool:
        """Do the next thing of the script; returns whether there was one.

        ``idle``: whether an answer that has not come will not come any more.
        """
        if self.tls is None or not self._secure or self.ending is not Ending.NOT:
            return False
        if not self._said and self._speaks_first:
            self._say()
            return True
        if not self._acted and self._said and (idle or self._answered):
            self._acted = True
            return self._act()
        return False

    @property
    def _answered(self) -> bool:
        return self._speaks_first and self._read > self._read_before

    @property
    def _speaks_first(self) -> bool:
        return self._situation.scenario.writes_first is self._subject.peer

    def _say(self) -> None:
        assert self.tls is not None
        self._said = True
        self._read_before = self._read
        self.tls.write(self._subject.question if self._is_client else self._subject.answer)

    def _act(self) -> bool:
        assert self.tls is not None
        action = self._situation.scenario.action
        if not peer_acts(self._situation, self._subject.peer):
            if self._subject.farewell:
                self.tls.write(self._subject.farewell)
            return bool(self._subject.farewell)
        if action is Action.CUT:
            self.ending = Ending.FIN
        elif action is Action.RESET:
            self.ending = Ending.RESET
        else:
            self.tls.close()
            self.ignores = action is Action.CLOSE_UNANSWERED
        return True

    def _follow(self, commands: list[Command]) -> None:
        for number, command in enumerate(commands):
            if isinstance(command, Say):
                self._plain += command.data
                following = commands[number + 1 : number + 2]
                self._say_more(any(isinstance(each, Switch) for each in following))
            elif isinstance(command, Switch):
                self._begin()
                self._feed(command.leftover)
            else:
                self._report("refused", cause=command.cause.value)
                self._plain += command.data
                self.ending = Ending.FIN

    def _say_more(self, agrees: bool) -> None:
        """Say what an adversary would, right behind a request or a go-ahead."""
        requests = self._is_client and self._negotiation.state is State.REQUESTED
        if requests and self._situation.early_hello:
            self._plain += self._begin().take()
        fault = self._situation.scenario.fault
        if fault is None or self._situation.fault_of_wire is not None:
            return
        if fault.sender is self._subject.peer and (requests or agrees):
            self._plain += self._subject.injected

    def _begin(self) -> SSLPeer:
        if self.tls is None:
            expected = self._situation.scenario.expected_name
            name = expected if self._is_client else None
            self.tls = SSLPeer(self.context, server_name=name, session=self._session)
        return self.tls

    def _feed(self, data: bytes) -> None:
        assert self.tls is not None
        if data:
            self.tls.deliver(data)
        if self.tls.complete and not self._secure:
            self._secured(self.tls)
        if received := self.tls.received[self._read :]:
            self._read += len(received)
            self._report("received", data=excerpt(self._subject.shown(received)))
            answers = not self._said and not self._speaks_first
            if answers and self.ending is Ending.NOT:
                self._say()
        if self.tls.closed and not self._told_close:
            self._told_close = True
            self._report("close_notify received")
            if self._situation.answers_close:
                self.tls.close()
                self.ending = Ending.FIN
        if self.tls.error is not None and not self._told_error:
            self._told_error = True
            self._report("TLS failed", reason=(self.tls.error.reason or "").lower())
            self.ending = Ending.FIN

    def _secured(self, peer: SSLPeer) -> None:
        self._secure = True
        facts: dict[str, Any] = {
            "version": peer.tls.version(),
            "negotiated": peer.tls.selected_alpn_protocol(),
            "resumed": peer.tls.session_reused,
        }
        if not self._is_client:
            facts["certificate"] = bool(peer.tls.getpeercert(binary_form=True))
        self._report("secure", **facts)
        scenario = self._situation.scenario
        if scenario.rejected_by is self._subject.peer:
            peer.close()
            self.ending = Ending.FIN
        elif scenario.one_segment and self._speaks_first:
            self._say()


def _context(subject: Subject, situation: Situation) -> ssl.SSLContext:
    scenario = situation.scenario
    is_client = subject.peer is End.CLIENT
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT if is_client else ssl.PROTOCOL_TLS_SERVER)
    settings = scenario.client if is_client else scenario.server
    wrong_name = scenario.expected_name != "localhost"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        if scenario.versions_differ:
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        else:
            context.minimum_version = context.maximum_version = _VERSIONS[subject.tls]
    alpn = settings.alpn or subject.alpn
    if alpn:
        context.set_alpn_protocols(list(alpn))
    authority = subject.authority or temporary_certificates().authority
    untrusted = not is_client or scenario.server.certificate is settings.certificate.UNTRUSTED
    load_certificate(
        context, settings.certificate, not is_client,
        OTHER_NAME if wrong_name and not is_client else "localhost",
    )  # fmt: skip
    if is_client and (wrong_name or untrusted):
        context.load_verify_locations(unknown_authority() if untrusted else authority)
    elif is_client:
        # Any server will do: most have a certificate that this authority has not issued.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        context.load_verify_locations(authority)
        if scenario.client_certificate_required:
            context.verify_mode = ssl.CERT_REQUIRED
    return context
