from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.proxy.fakes import RecordingHandlerListener, WaitingBackend
from tlsdemo.proxy.echo_handler import EchoHandler
from tlsdemo.proxy.handlers import HANDLERS, HandlerName
from tlsdemo.proxy.proxy_handler import ProxyHandler
from tlsdemo.proxy.sink_handler import SinkHandler


class HandlersTests(SynchronousTestCase):
    def test_each_handler_is_made_by_its_name(self) -> None:
        made = {
            name.value: type(make(RecordingHandlerListener([]), WaitingBackend().backend))
            for name, make in HANDLERS.items()
        }
        self.assertEqual(made, {"proxy": ProxyHandler, "echo": EchoHandler, "sink": SinkHandler})
        self.assertEqual(set(HANDLERS), set(HandlerName))

    def test_each_handler_gets_its_listener(self) -> None:
        for make in HANDLERS.values():
            listener = RecordingHandlerListener([])
            self.assertIs(make(listener, WaitingBackend().backend).listener, listener)

    def test_only_a_proxy_needs_a_backend(self) -> None:
        for name in (HandlerName.ECHO, HandlerName.SINK):
            HANDLERS[name](RecordingHandlerListener([]), None)
        error = self.assertRaises(
            ValueError, HANDLERS[HandlerName.PROXY], RecordingHandlerListener([]), None
        )
        self.assertEqual(str(error), "a proxy needs a backend")
