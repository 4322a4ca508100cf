from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.server.support import RecordingOwner, WaitingBackend
from tlsdemo.server.echo import Echo
from tlsdemo.server.proxy import Proxy
from tlsdemo.server.roles import ROLES, RoleName
from tlsdemo.server.sink import Sink


class TheCatalogue(SynchronousTestCase):
    def test_makes_each_role_by_its_name(self) -> None:
        made = {
            name.value: type(make(RecordingOwner([]), WaitingBackend().backend))
            for name, make in ROLES.items()
        }
        self.assertEqual(made, {"proxy": Proxy, "echo": Echo, "sink": Sink})
        self.assertEqual(set(ROLES), set(RoleName))

    def test_hands_each_role_its_owner(self) -> None:
        for make in ROLES.values():
            owner = RecordingOwner([])
            self.assertIs(make(owner, WaitingBackend().backend).owner, owner)

    def test_needs_no_backend_but_for_a_proxy(self) -> None:
        for name in (RoleName.ECHO, RoleName.SINK):
            ROLES[name](RecordingOwner([]), None)
        error = self.assertRaises(ValueError, ROLES[RoleName.PROXY], RecordingOwner([]), None)
        self.assertEqual(str(error), "a proxy needs a backend")
