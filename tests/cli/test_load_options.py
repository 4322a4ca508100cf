from __future__ import annotations

import os
from typing import Any

from tests.cli.refusals import RefusingCase
from tests.support import certificates
from tlsdemo.cli import load_options
from tlsdemo.cli.load_options import LOAD_PARAMETERS, LoadOptions
from tlsdemo.cli.options import named
from tlsdemo.loadgen.schedule import Task
from tlsdemo.starttls.negotiation import MAX_PLAIN
from tlsdemo.tls import ClientTLS, ModeName, UnusableCredentials
from tlsdemo.tls.groups import CAN_SET_GROUPS


class Load(LoadOptions):
    command = "load"

    optParameters = [*named(LOAD_PARAMETERS), ["send", None, "raw", "How."]]  # noqa: RUF012


class LoadOptionsCase(RefusingCase):
    def parse(self, *arguments: str) -> Load:
        options = Load()
        options.parseOptions(arguments)
        return options


class Parameters(LoadOptionsCase):
    def test_have_the_defaults_of_the_original_demonstration(self) -> None:
        options = self.parse()
        self.assertEqual(
            [options[name] for name in ("conn", "packet-size", "duration", "packets")],
            [2000, 32, 10.0, 0],
        )

    def test_each_has_its_bounds(self) -> None:
        for argument, problem in {
            "--conn=0": "not between 1 and 1,000,000",
            "-c0": "not between 1 and 1,000,000",
            "--workers=0": "not between 1 and 1,024",
            "--packet-size=0": "not between 1 and 16,777,216",
            "--duration=-1": "not between 0 and 1,000,000 seconds",
            "--packets=-1": "not between 0 and 1,099,511,627,776",
            "--burst=0": "not between 1 and 1,099,511,627,776",
            "--connect-rate=-1": "not between 0 and 1,000,000",
            "--in-flight=0": "not between 1 and 1,099,511,627,776",
            "--timeout=0": "not between 0.1 and 1,000,000 seconds",
            "--plain-timeout=-1": "not between 0 and 1,000,000 seconds",
            "--handshake-timeout=-1": "not between 0 and 1,000,000 seconds",
            "--idle-timeout=-1": "not between 0 and 1,000,000 seconds",
            "--closing-timeout=-1": "not between 0 and 1,000,000 seconds",
            "--client-name=a b": "not a host name or an address in brackets",
            "--max-line=63": "not between 64 and 1,099,511,627,776",
            "--max-plain=63": "not between 64 and 1,099,511,627,776",
        }.items():
            message = self.refused(lambda argument=argument: self.parse(argument))  # type: ignore[misc]
            self.assertIn(problem, message)


class Workers(LoadOptionsCase):
    def limit(self, descriptors: int) -> None:
        self.patch(load_options, "raise_descriptor_limit", lambda: descriptors)

    def test_are_one_less_than_there_are_cpus(self) -> None:
        self.limit(10_000)
        self.patch(os, "cpu_count", lambda: 5)
        self.assertEqual(self.parse().workers(), 4)

    def test_are_one_if_the_number_of_cpus_is_unknown(self) -> None:
        self.limit(10_000)
        self.patch(os, "cpu_count", lambda: None)
        self.assertEqual(self.parse().workers(), 1)

    def test_are_as_many_as_the_option_says(self) -> None:
        self.limit(10_000)
        self.assertEqual(self.parse("--workers=7").workers(), 7)

    def test_a_limit_that_is_just_enough_is_enough(self) -> None:
        self.limit(132)
        self.assertEqual(self.parse("--conn=100", "--workers=1").workers(), 1)

    def test_a_limit_that_is_too_low_is_reported_with_the_command_to_raise_it(self) -> None:
        self.limit(131)
        options = self.parse("--conn=100", "--workers=1")
        self.assertEqual(
            self.refused(options.workers),
            "load: --conn=100 needs 132 file descriptors in each of 1 processes, and the limit is "
            "131; raise it: ulimit -Hn 132, as root, or use more processes: --workers=2",
        )

    def test_the_suggested_number_of_workers_is_enough(self) -> None:
        self.limit(56)
        message = self.refused(self.parse("--conn=100", "--workers=1").workers)
        advised = message.rpartition(" ")[2]
        self.assertEqual(self.parse("--conn=100", advised).workers(), 5)

    def test_more_workers_are_not_suggested_if_their_pipes_are_too_many(self) -> None:
        self.limit(40)
        message = self.refused(self.parse("--conn=2000", "--workers=1").workers)
        self.assertTrue(message.endswith("raise it: ulimit -Hn 2032, as root"), message)
        message = self.refused(self.parse("--conn=2000", "--workers=250").workers)
        self.assertEqual(
            message,
            "load: 250 workers need 782 file descriptors in the process that starts them, and the "
            "limit is 40; use fewer --workers, or raise it: ulimit -Hn 782, as root",
        )

    def test_more_workers_are_not_suggested_if_they_would_not_help(self) -> None:
        self.limit(20)
        message = self.refused(self.parse("--conn=100", "--workers=1").workers)
        self.assertTrue(message.endswith("raise it: ulimit -Hn 132, as root"), message)


class TaskTests(LoadOptionsCase):
    def task(
        self, *arguments: str, mode: ModeName = ModeName.STARTTLS, name: str = "localhost"
    ) -> Task:
        where = certificates().authority.parent.parent
        options = self.parse(f"--certs={where}", *arguments)
        return options.task("tcp:127.0.0.1:1", mode, name)

    def test_has_the_values_of_the_options(self) -> None:
        client = certificates().client
        groups = "P-256" if CAN_SET_GROUPS else ""
        self.assertEqual(
            self.task(
                "--conn=5", "--packet-size=7", "--packets=9", "--burst=11", "--connect-rate=1.5",
                "--in-flight=13", "--timeout=17", "--tls-max=1.2", "--ciphers=ECDHE+AESGCM",
                *([f"--groups={groups}"] if groups else []),
            ),
            Task(
                connections=5,
                connect="tcp:127.0.0.1:1",
                server_name="localhost",
                mode="starttls",
                send="raw",
                packet_size=7,
                packets=9,
                burst=11,
                rate=1.5,
                in_flight=13,
                timeout=17.0,
                certificate=str(client.certificate),
                key=str(client.key),
                authority=str(client.authority),
                tls_min="1.2",
                tls_max="1.2",
                ciphers="ECDHE+AESGCM",
                groups=groups,
                plain_timeout=17.0,
                handshake_timeout=17.0,
                idle_timeout=600.0,
                closing_timeout=17.0,
                helo_name="client.example",
            ),
        )  # fmt: skip

    def test_has_timeouts_that_can_be_set_one_by_one(self) -> None:
        task = self.task(
            "--timeout=9", "--plain-timeout=2", "--handshake-timeout=3", "--idle-timeout=4",
            "--closing-timeout=0",
        )  # fmt: skip
        self.assertEqual(
            (task.timeout, task.plain_timeout, task.handshake_timeout), (9.0, 2.0, 3.0)
        )
        self.assertEqual((task.idle_timeout, task.closing_timeout), (4.0, 0.0))

    def test_has_the_name_of_the_clients(self) -> None:
        self.assertEqual(self.task("--helo-name=[192.0.2.1]").helo_name, "[192.0.2.1]")
        self.assertEqual(self.task("--client-name=a.example").helo_name, "a.example")
        self.assertEqual(self.task().helo_name, "client.example")

    def test_has_the_limits_of_what_a_server_may_send_before_tls(self) -> None:
        task = self.task("--max-line=100", "--max-plain=200")
        self.assertEqual((task.max_line, task.max_plain), (100, 200))
        task = self.task()
        self.assertEqual((task.max_line, task.max_plain), (0, MAX_PLAIN))

    def test_can_send_buffered(self) -> None:
        self.assertEqual(self.task("--send=buffered").send, "buffered")

    def test_can_send_as_is_the_default_of_the_mode(self) -> None:
        self.assertEqual(self.task("--send=stock").send, "buffered")
        self.assertEqual(self.task("--send=stock", mode=ModeName.PAIR).send, "raw")

    def test_credentials_that_openssl_cannot_use_are_reported_in_one_line(self) -> None:
        def build(*_: Any, **__: Any) -> None:
            raise UnusableCredentials("OpenSSL cannot use a.pem: key too small")

        self.patch(ClientTLS, "build", build)
        message = self.refused(self.task)
        self.assertEqual(message, "load: OpenSSL cannot use a.pem: key too small")

    def test_a_server_name_that_no_certificate_can_have_is_reported_in_one_line(self) -> None:
        for name in ("", "not a name", "a..b"):
            self.assertEqual(
                self.refused(lambda name=name: self.task(name=name)),  # type: ignore[misc]
                f"load: --server-name is {name!r}, not a name that a certificate can have",
            )
