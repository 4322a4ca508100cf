from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.testing.pins.protocols import Shouting, client_options, factory_of
from tlsdemo.testing.pins import Subject, through_endpoint


class TheSubject(SynchronousTestCase):
    def test_a_version_that_there_is_not(self) -> None:
        problem = self.assertRaises(ValueError, Subject, None, tls="1.1")
        self.assertEqual(str(problem), "tls is '1.1', none of 1.2, 1.3")

    def test_a_dialect_that_there_is_not(self) -> None:
        problem = self.assertRaises(ValueError, Subject, None, dialect="gopher")
        self.assertIn("dialect is 'gopher', none of immediate, line", str(problem))

    def test_a_factory_that_is_given_is_used(self) -> None:
        factory = factory_of(Shouting)
        self.assertIs(Subject(factory).make_factory(), factory)
        self.assertIs(Subject(lambda: factory).make_factory(), factory)


class Endpoints(SynchronousTestCase):
    def test_a_server_endpoint(self) -> None:
        factory = factory_of(Shouting)
        make = through_endpoint(lambda endpoint: endpoint, lambda: factory, client=False)
        self.assertIs(make(), factory)

    def test_an_endpoint_that_does_not_use_the_one_it_is_made_of(self) -> None:
        class Other:
            def connect(self, factory: object) -> None:
                pass

        problem = self.assertRaises(
            ValueError, through_endpoint(lambda endpoint: Other(), lambda: client_options())
        )
        self.assertIn("did not use", str(problem))
