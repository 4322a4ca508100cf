import resource

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.net.limits import RESERVED, Limits, connections_possible, raise_descriptor_limit


class System:
    """The limits of a system, which may raise ``error`` when they are set."""

    def __init__(self, limits: Limits, error: Exception | None = None) -> None:
        self.limits = limits
        self.error = error
        self.changes = 0

    def get(self, kind: int) -> Limits:
        assert kind == resource.RLIMIT_NOFILE
        return self.limits

    def set(self, kind: int, limits: Limits) -> None:
        assert kind == resource.RLIMIT_NOFILE
        self.changes += 1
        if self.error is not None:
            raise self.error
        self.limits = limits

    def raise_limit(self) -> int:
        return raise_descriptor_limit(self.get, self.set)


class RaisingTheLimit(SynchronousTestCase):
    def test_sets_the_soft_limit_to_the_hard_one(self) -> None:
        system = System((1024, 4096))
        self.assertEqual(system.raise_limit(), 4096)
        self.assertEqual(system.limits, (4096, 4096))

    def test_changes_nothing_if_the_soft_limit_is_the_hard_one(self) -> None:
        system = System((4096, 4096))
        self.assertEqual(system.raise_limit(), 4096)
        self.assertEqual(system.changes, 0)

    def test_returns_the_old_limit_if_the_system_refuses(self) -> None:
        for error in (ValueError("not allowed"), PermissionError("not allowed")):
            system = System((1024, 4096), error)
            self.assertEqual(system.raise_limit(), 1024)
            self.assertEqual(system.limits, (1024, 4096))

    def test_uses_the_limits_of_this_process_by_default(self) -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        # Lower the limit by one, so that there is something to raise.
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft - 1, hard))
        raised = raise_descriptor_limit()
        self.assertEqual(raised, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        self.assertGreater(raised, soft - 1)


class ConnectionsPossible(SynchronousTestCase):
    def test_are_as_many_as_the_descriptors_left_allow(self) -> None:
        self.assertEqual(connections_possible(RESERVED + 9, 3), 3)
        self.assertEqual(connections_possible(RESERVED + 8, 3), 2)

    def test_are_at_least_one(self) -> None:
        self.assertEqual(connections_possible(10, 3), 1)
