"""Answers that have to be waited for, as workers have to be asked first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET


def answer_later(request: Any, answer: Deferred[bytes]) -> Any:
    """Answer ``request`` with the bytes when they are there, unless its client has gone away.

    Returns what ``render_GET`` has to return.
    """
    gone: list[object] = []
    request.notifyFinish().addErrback(gone.append)

    def answered(body: bytes) -> None:
        if not gone:
            request.setHeader("Content-Length", str(len(body)))
            request.write(body)
            request.finish()

    def failed(failure: Any) -> None:
        if not gone:
            request.processingFailed(failure)

    answer.addCallback(answered).addErrback(failed)
    return NOT_DONE_YET


class AfterRefresh(Resource):
    """Renders ``resource`` after the Deferred of ``refresh`` has fired."""

    isLeaf = True

    def __init__(self, resource: Any, refresh: Callable[[], Deferred[None]]) -> None:
        super().__init__()
        self._resource = resource
        self._refresh = refresh

    def render_GET(self, request: Any) -> Any:
        """Answer when the figures are new."""
        return answer_later(
            request, self._refresh().addCallback(lambda _: self._resource.render_GET(request))
        )
