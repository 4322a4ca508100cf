from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.proxy.fakes import RecordingOwner, WaitingBackend
from tlsdemo.proxy.echo_handler import Echo
from tlsdemo.proxy.handlers import HANDLERS, HandlerName
from tlsdemo.proxy.proxy_handler import Proxy
from tlsdemo.proxy.sink_handler import Sink


class TheCatalogue(SynchronousTestCase):
    def test_makes_each_role_by_its_name(self) -> None:
        made = {
            name.value: type(make(RecordingOwner([]), WaitingBackend().backend))
            for name, make in HANDLERS.items()
        }
        self.assertEqual(made, {"proxy": Proxy, "echo": Echo, "sink": Sink})
        self.assertEqual(set(HANDLERS), set(HandlerName))

    def test_hands_each_role_its_owner(self) -> None:
        for make in HANDLERS.values():
            owner = RecordingOwner([])
            self.assertIs(make(owner, WaitingBackend().backend).owner, owner)

    def test_needs_no_backend_but_for_a_proxy(self) -> None:
        for name in (HandlerName.ECHO, HandlerName.SINK):
            HANDLERS[name](RecordingOwner([]), None)
        error = self.assertRaises(ValueError, HANDLERS[HandlerName.PROXY], RecordingOwner([]), None)
        self.assertEqual(str(error), "a proxy needs a backend")
