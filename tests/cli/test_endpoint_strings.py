from __future__ import annotations

from twisted.internet import reactor
from twisted.python import usage
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.cli.endpoint_strings import (
    EndpointString,
    check_client_endpoint,
    check_server_endpoint,
)


class Splitting(SynchronousTestCase):
    def test_separates_the_type_and_the_arguments_with_and_without_a_name(self) -> None:
        for where, expected in {
            "tcp:25": EndpointString("tcp", ("25",), {}),
            "tcp:host=a:25": EndpointString("tcp", ("25",), {"host": "a"}),
            r"tcp:interface=\:\:1:0": EndpointString("tcp", ("0",), {"interface": "::1"}),
            r"unix:a\=b": EndpointString("unix", ("a=b",), {}),
            "unix:x:mode=a=b": EndpointString("unix", ("x",), {"mode": "a=b"}),
            "tcp:": EndpointString("tcp", ("",), {}),
            "": EndpointString("", (), {}),
            "x\\": EndpointString("x\\", (), {}),
        }.items():
            self.assertEqual(EndpointString.split(where), expected, where)


class Checking(SynchronousTestCase):
    def test_valid_ones_are_accepted(self) -> None:
        for where in (
            "tcp:0", "tcp:8899:interface=127.0.0.1", "tcp:port=1", "tcp:1:127.0.0.1:5",
            "unix:status", "unix:s:mode=600:lockfile=0", "tcp6:0", r"tcp:0:interface=\:\:1",
        ):  # fmt: skip
            check_server_endpoint(reactor, "listen", where)
        check_server_endpoint(reactor, "listen", "haproxy:tcp:0", "haproxy:")
        for where in (
            "tcp:127.0.0.1:25", "tcp:host=example.org:port=25", "tcp:a:1:timeout=5", "unix:status",
            "unix:path=status:lockfile=1", "tls:example.org:443",
        ):  # fmt: skip
            check_client_endpoint(reactor, "connect", where)

    def test_invalid_ones_of_servers_are_refused_with_the_wrong_part(self) -> None:
        for where, problem in {
            "": "there is no type ''",
            "8899": "there is no type '8899'",
            "tpc:1": "there is no type 'tpc'; did you mean tcp?",
            "tcp": "the port is missing",
            "tcp:": "the port is missing",
            "tcp:x": "the port is 'x', not between 0 and 65,535",
            "tcp:-1": "the port is '-1', not between 0 and 65,535",
            "tcp:65536": "the port is '65536', not between 0 and 65,535",
            "tcp:0:interfaces=a": "tcp has no 'interfaces'; did you mean interface?",
            "tcp:0:nonsense=a": "tcp has no 'nonsense'",
            "tcp:0:backlog=0": "the backlog is '0', not between 1 and 2,147,483,648",
            "tcp:0:a:1:b": "'b' is one part too many",
            "unix": "the address is missing",
            "unix:a:mode=x": "type 'unix' does not take these parts",
            "tcp6:x:y:z:w": "type 'tcp6' does not take these parts",
            "ssl:0:privateKey=/nowhere/key": "/nowhere/key: No such file or directory",
        }.items():
            self.check_refused(
                check_server_endpoint, where, "tcp:8899:interface=127.0.0.1", problem
            )

    def test_invalid_ones_of_clients_are_refused_with_the_wrong_part(self) -> None:
        for where, problem in {
            "127.0.0.1:8899": "there is no type '127.0.0.1'",
            "tcp:localhost": "the port is missing",
            "tcp::25": "the host is missing",
            "tcp:localhost:x": "the port is 'x', not between 1 and 65,535",
            "tcp:localhost:0": "the port is '0', not between 1 and 65,535",
            "tcp:localhost:25:foo=1": "tcp has no 'foo'",
            "tcp:localhost:25:timeout=x": "type 'tcp' does not take these parts",
            "unix:": "the path is missing",
        }.items():
            self.check_refused(check_client_endpoint, where, "tcp:127.0.0.1:8899", problem)

    def check_refused(self, check: object, where: str, example: str, problem: str) -> None:
        refused = self.assertRaises(usage.UsageError, check, reactor, "where", where)
        self.assertEqual(
            str(refused),
            f"--where is {where!r}, not an endpoint string such as {example}: {problem}",
        )
