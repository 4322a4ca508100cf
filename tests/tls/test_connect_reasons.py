from __future__ import annotations

import errno
import os

from twisted.internet import error
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.tls.connect_reasons import backend_reason, connect_reason


def refused(number: int) -> Exception:
    made: Exception = error.getConnectError((number, os.strerror(number)))
    return made


def unbound(number: int) -> Exception:
    return error.ConnectBindError(number, os.strerror(number))


EXPECTED = [
    (refused(errno.ECONNREFUSED), "connection refused", "backend refused"),
    (error.ConnectionRefusedError(), "connection refused", "backend refused"),
    (refused(errno.ENETUNREACH), "network unreachable", "backend unreachable"),
    (refused(errno.EHOSTUNREACH), "host unreachable", "backend unreachable"),
    (refused(errno.ETIMEDOUT), "connect timeout", "backend timeout"),
    (error.TimeoutError(), "connect timeout", "backend timeout"),
    (TimeoutError("no answer after 4 s"), "connect timeout", "backend timeout"),
    (error.DNSLookupError("no results"), "name not resolved", "backend not found"),
    (refused(errno.ENOENT), "no such socket", "backend not found"),
    (refused(errno.EACCES), "permission denied", "backend permission denied"),
    (refused(errno.EADDRNOTAVAIL), "no free local port", "no free local port"),
    (unbound(errno.EADDRNOTAVAIL), "local address not available", "local address not available"),
    (unbound(errno.EADDRINUSE), "local address not available", "local address not available"),
    (unbound(errno.EMFILE), "too many open files", "too many open files"),
    (OSError(errno.EMFILE, "x"), "too many open files", "too many open files"),
    (refused(errno.ECONNRESET), "connection reset", "backend refused"),
    (refused(errno.EPROTO), "connecting failed", "backend refused"),
    (ValueError("what is this"), "connecting failed", "backend refused"),
]


class ConnectReasons(SynchronousTestCase):
    def test_every_error_has_a_cause_and_keeps_its_words(self) -> None:
        for problem, cause, of_backend in EXPECTED:
            with self.subTest(problem):
                failure = Failure(problem)
                ours, backends = connect_reason(failure), backend_reason(failure)
                self.assertEqual(
                    (ours.cause.value, backends.cause.value), (cause, of_backend), repr(problem)
                )
                words = failure.getErrorMessage()
                self.assertEqual((ours.detail, backends.detail), (words, words))
