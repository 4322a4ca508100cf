"""The states of a proxied connection, and what happens to it."""

from __future__ import annotations

from tlsdemo.state_machine import Symbol


class ProxyState(Symbol):
    """The states of a proxied connection."""

    CONNECTING = "connecting to the backend"
    TURNED_AWAY = "the client has been told that there is no backend"
    CONNECTING_LATE = "connecting to the backend, after the client has closed"
    CONNECTING_FINISHED = "connecting to the backend, after the client has finished sending"
    JOINED = "joined"
    CLIENT_FINISHED = "the client has finished sending"
    BACKEND_FINISHED = "the backend has finished sending"
    CLIENT_GONE = "the client has gone"
    BACKEND_GONE = "the backend has gone"
    DRAINED = "drained"


class ProxyInput(Symbol):
    """What happens to a proxied connection."""

    CLIENT_DATA = "data from the client"
    CLIENT_FINISHED = "client finished sending"
    CLIENT_CLOSED = "client closed, leaving data"
    CLIENT_LOST = "client lost, or closed without data"
    BACKEND_READY = "backend has connected, and greeted"
    BACKEND_REFUSED = "backend not connected"
    BACKEND_FINISHED = "backend finished sending"
    BACKEND_CLOSED = "backend closed"
    BACKEND_CLOSED_EARLY = "backend closed, leaving data unread"
    BACKEND_LOST = "backend lost"
    FAILED = "filter failed, or timeout"
    ABORT = "abort"
