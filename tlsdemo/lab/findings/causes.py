"""What causes the findings that no ticket is known for, as far as it is known; who to tell.

Names in double backquotes are those of Twisted 26.10 and pyOpenSSL 26.4.
"""

from __future__ import annotations

CAUSES: dict[str, str] = {
    "alpn-kills-handshake": (
        "Since 26.4 ``CertificateOptions._makeContext`` calls ``setupForALPN`` even without "
        "``acceptableProtocols``. Its callback ``alpnSelect`` then has nothing to choose from, "
        'and returns ``b""``. OpenSSL takes an empty protocol for an error of the callback, and '
        "aborts with internal_error. ``OpenSSL.SSL.NO_OVERLAPPING_PROTOCOLS``, which a comment in "
        "the callback already names, makes the handshake continue without ALPN (tried). With "
        "``acceptableProtocols`` and no overlap, the alert would better be "
        "no_application_protocol (RFC 7301, section 3.2)."
    ),
    "starttls-injection": (
        "``LineReceiver.dataReceived`` loops over its buffer, and does not notice that "
        "``lineReceived`` has called ``startTLS``. Nothing in ``_newtls.startTLS`` tells the "
        "protocol that the data it still has is from before TLS."
    ),
    "swallowed-client-hello": (
        "The bytes are in the buffer of ``LineReceiver``. ``_newtls.startTLS`` puts the TLS "
        "protocol in front of it for what is read from the socket later, and there is no "
        "documented way to give it what has been read already."
    ),
    "start-tls-twice": (
        "``ConnectionMixin.startTLS`` calls ``_newtls.startTLS`` without looking at ``self.TLS``, "
        "which says that TLS has been started."
    ),
    "secure-mark-before-handshake": (
        "``_newtls.startTLS`` ends with ``directlyProvides(transport, ISSLTransport)``, whatever "
        "becomes of the handshake."
    ),
    "handshake-method-not-called": (
        "``TLSMemoryBIOProtocol._checkHandshakeStatus`` asks "
        "``IHandshakeListener.providedBy(self.wrappedProtocol)``, which is about declarations, "
        "and stays silent for a protocol that only has the method."
    ),
    "handshake-completed-before-last-flight": (
        "``TLSMemoryBIOProtocol._checkHandshakeStatus`` calls ``handshakeCompleted`` as soon as "
        "``do_handshake`` returns; ``_flushSendBIO`` runs afterwards, in ``_flushReceiveBIO``."
    ),
    "handshake-completed-though-rejected": (
        "It follows from TLS 1.3: the client's handshake is complete before the server has "
        "verified its certificate (RFC 8446, section 4.4.4). The documentation of "
        "``IHandshakeListener`` does not say so."
    ),
    "no-event-for-failed-handshake": (
        "``IHandshakeListener`` has one method. ``_checkHandshakeStatus`` passes an error to "
        "``_tlsShutdownFinished``, which only keeps it for ``connectionLost``."
    ),
    "no-handshake-timeout": (
        "Neither ``TLSMemoryBIOProtocol.makeConnection`` nor ``_newtls.startTLS`` starts a timer, "
        "and no argument asks for one."
    ),
    "renegotiation-without-event": (
        "OpenSSL refuses by itself, with a warning alert. ``_flushReceiveBIO`` sees a "
        "``WantReadError``, as for any incomplete record."
    ),
    "rejected-but-delivered": (
        "``TLSMemoryBIOProtocol.dataReceived`` goes on to ``_flushReceiveBIO`` after "
        "``handshakeCompleted``; its loop looks at ``_aborted``, and not at ``disconnecting``, "
        "which is what ``loseConnection`` sets."
    ),
    "aborted-but-delivered": (
        "After ``startTLS``, ``ConnectionMixin`` passes ``loseConnection`` and the methods for "
        "writing on to the TLS protocol, but not ``abortConnection``. So "
        "``TLSMemoryBIOProtocol._aborted``, at which the loop of ``_flushReceiveBIO`` looks, "
        "stays False."
    ),
    "verification-fails-in-two-types": (
        "The chain is verified by OpenSSL, whose error becomes ``SSL.Error``; the name is "
        "verified by service_identity, whose ``VerificationError`` is given to "
        "``failVerification``."
    ),
    "no-alert-for-wrong-name": (
        "``_verifyCB`` calls ``failVerification`` from within OpenSSL's callback. That aborts the "
        "TCP connection before the callback has returned, and OpenSSL writes its alert only then. "
        "With a ``failVerification`` that only keeps the reason, and leaves the end to "
        "``_checkHandshakeStatus``, the server receives an alert, and the client's application "
        "the same reason (tried with TLS 1.2 and 1.3, with both startTLS and "
        "TLSMemoryBIOFactory); the alert is internal_error, because no error was set."
    ),
    "internal-error-for-refused-certificate": (
        "pyOpenSSL's ``_VerifyHelper`` returns 0 to OpenSSL without ``X509_STORE_CTX_set_error``, "
        "so that the error is still X509_V_OK, for which OpenSSL sends internal_error. This "
        "belongs to pyOpenSSL."
    ),
    "event-per-record": (
        "``TLSMemoryBIOProtocol._flushReceiveBIO`` calls ``dataReceived`` for each ``recv``, and "
        "OpenSSL returns at most one record from it."
    ),
    "pause-comes-late": (
        "``pauseProducing`` goes to the TCP transport. The loop of "
        "``TLSMemoryBIOProtocol._flushReceiveBIO`` does not learn of it, and delivers what it "
        "has."
    ),
    "slow-reader-fills-memory": (
        "``FileDescriptor.write`` accepts any amount by design; only a registered producer is "
        "paused. TLS encrypts all of it at once, below any limit."
    ),
    "writes-before-handshake-fill-memory": (
        "``TLSMemoryBIOProtocol._write`` puts what OpenSSL does not accept before the handshake "
        "into ``_appSendBuffer``, which has no limit."
    ),
    "key-updates-without-limit": (
        "OpenSSL processes a KeyUpdate within ``recv``, which then raises ``WantReadError``. "
        "``_flushReceiveBIO`` cannot tell that from an incomplete record. OpenSSL has no limit of "
        "its own that 5,000 would reach."
    ),
    "client-hello-in-two-segments": (
        "It is OpenSSL's default list of groups, and no fault of Twisted: ``CertificateOptions`` "
        "has no setting for the groups, and its documentation could say what to expect."
    ),
    "plain-slower-than-tls": (
        "Since ticket 11989, ``BufferingTLSTransport.write`` appends to a list and encrypts once. "
        "``FileDescriptor.write`` does its checks, and starts writing, for each call."
    ),
    "abort-is-connection-lost": (
        "``TLSMemoryBIOProtocol.connectionLost`` calls ``bio_shutdown`` and reads once more, "
        "which fails; the resulting ``ConnectionLost`` takes precedence over the reason "
        "``ConnectionAborted`` that TCP has given."
    ),
    "endings-not-told-apart": (
        "``_tlsShutdownFinished`` turns what ``_representsEOF`` recognizes into "
        "``CONNECTION_LOST``, a constant, in every phase."
    ),
    "stopped-without-close-notify": (
        "``ReactorBase.disconnectAll`` calls ``connectionLost`` of the sockets. The TLS protocol "
        "above learns of the end when nothing can be sent any more."
    ),
    "no-resumption": (
        "``CertificateOptions`` has ``enableSessions=False`` and ``enableSessionTickets=False`` "
        "as defaults, and gives each context a random session ID context."
    ),
    "tickets-for-nothing": (
        "``SSL.OP_NO_TICKET`` turns the stateless tickets of TLS 1.3 into stateful ones, which "
        "OpenSSL still sends, although ``SESS_CACHE_OFF`` keeps no sessions. "
        "``SSL_CTX_set_num_tickets(0)`` would end that; pyOpenSSL does not offer it."
    ),
    "ciphers-without-forward-secrecy": (
        '``_sslverify.defaultCiphers`` ends with ``"RSA+AESGCM:RSA+AES"``, and includes CBC by '
        '``"ECDH+AES256"`` and the like.'
    ),
    "post-quantum-handshake-costs": (
        "OpenSSL's default list of groups begins with X25519MLKEM768. ``CertificateOptions`` sets "
        "no groups, and pyOpenSSL has no method for it: the function is only in its bindings, as "
        "``SSL_CTX_set1_curves_list``. A parameter for the groups would let an application decide."
    ),
    "context-frozen-by-connection": (
        "``Context`` notes that a ``Connection`` has been made with it, and ``_require_not_used`` "
        "refuses every later change. That is meant; what surprises is that code which hands the "
        "context out, as ``CertificateOptions.getContext``, says nothing of it."
    ),
    "esmtp-server-injection": (
        "``ESMTP.ext_STARTTLS`` calls ``startTLS``, and returns to the loop of "
        "``LineOnlyReceiver.dataReceived`` with lines left."
    ),
    "esmtp-state-survives-starttls": (
        "``ESMTP.ext_STARTTLS`` sets ``startedTLS``, and resets nothing of what RFC 3207, section "
        "4.2, says must be forgotten."
    ),
    "imap4-server-injection": (
        "``IMAP4Server.do_STARTTLS`` calls ``startTLS``, and the buffered lines are processed "
        "after it."
    ),
    "esmtp-client-injection": (
        "``ESMTPClient.esmtpState_starttls`` calls ``startTLS`` and sends EHLO while lines that "
        "arrived in plaintext are still in the buffer."
    ),
}
"""By the finding's name."""

TWISTED = "Twisted: https://github.com/twisted/twisted/issues"
"""Where a finding is to be reported that `TRACKERS` does not name."""

_IN_PRIVATE = (
    "Twisted, in private, as it lets an attacker act for others: "
    "https://github.com/twisted/twisted/security/advisories/new"
)
_PYOPENSSL = "pyOpenSSL: https://github.com/pyca/pyopenssl/issues"

TRACKERS = {
    **dict.fromkeys(
        (
            *("starttls-injection", "esmtp-server-injection", "esmtp-client-injection"),
            *("esmtp-state-survives-starttls", "imap4-server-injection"),
            *("rejected-but-delivered", "aborted-but-delivered"),
        ),
        _IN_PRIVATE,
    ),
    "internal-error-for-refused-certificate": _PYOPENSSL,
    "context-frozen-by-connection": _PYOPENSSL,
}
"""Where findings are to be reported, by their names."""
