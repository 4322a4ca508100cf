"""The server's options for dialects, the guard, timeouts and limits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from twisted.logger import LogLevel, capturedLogs, formatEvent

from tests.cli.refusals import RefusingCase
from tests.proxy.memory_server import ServerInMemory
from tests.support import certificates
from tlsdemo import tap
from tlsdemo.cli import connection_limit, server_options
from tlsdemo.cli.loopback import is_loopback
from tlsdemo.net.sockets import MAX_BUFFER
from tlsdemo.proxy.server_settings import ServerSettings
from tlsdemo.starttls.line import LineServer
from tlsdemo.starttls.negotiation import MAX_LINE, MAX_PLAIN, Say
from tlsdemo.starttls.registry import DIALECTS
from tlsdemo.tls import ModeName, ServerTLS
from tlsdemo.tls.timeouts import Timeouts

NAMES = ", ".join(DIALECTS)
LOOPBACK = ("127.0.0.1", "127.1.2.3", "localhost", r"\:\:1")


class OptionsCase(RefusingCase):
    def parse(self, *arguments: str) -> tap.Options:
        options = tap.Options()
        options.parseOptions(arguments)
        return options

    def check_refused(self, arguments: str, expected: str) -> None:
        message = self.refused(lambda: self.parse(*arguments.split()))
        self.assertTrue(message.startswith(f"twistd tlsdemo: {expected}"), message)


class DialectOptionTests(OptionsCase):
    def test_the_default_dialect_is_immediate(self) -> None:
        self.assertEqual(self.parse()["dialect"], (False, DIALECTS["immediate"]))

    def test_each_dialect_has_its_name(self) -> None:
        for name, dialect in DIALECTS.items():
            options = self.parse(f"--dialect={name}")
            self.assertEqual(options["dialect"], (False, dialect))

    def test_auto_is_for_every_dialect_that_negotiates(self) -> None:
        for name, dialect in DIALECTS.items():
            argument = f"--dialect=auto:{name}"
            if dialect.negotiates:
                self.assertEqual(self.parse(argument)["dialect"], (True, dialect))
            else:
                self.check_refused(
                    argument, "--dialect=auto: needs a dialect that negotiates, such as smtp"
                )

    def test_an_unknown_dialect_is_refused_with_the_known_ones(self) -> None:
        for name in ("x", "", "auto", "auto:", "auto:x"):
            self.check_refused(f"--dialect={name}", f"--dialect is {name!r}, none of {NAMES}")

    def test_a_dialect_that_is_meant_is_suggested(self) -> None:
        for name in ("SMTP", "smpt", "auto:smpt", "auto:auto:smtp"):
            expected = f"--dialect is {name!r}, unknown; did you mean smtp"
            self.check_refused(f"--dialect={name}", expected)

    def test_no_dialect_but_immediate_goes_with_a_mode_without_negotiation(self) -> None:
        for mode in ("wrapped", "clear"):
            for name in DIALECTS:
                if name == "immediate":
                    self.parse(f"--mode={mode}", f"--dialect={name}")
                    continue
                self.check_refused(
                    f"--mode={mode} --dialect={name}",
                    f"--dialect is {name}, and --mode={mode} does not negotiate; "
                    "use --mode=starttls or --mode=pair",
                )

    def test_every_dialect_goes_with_a_mode_with_negotiation(self) -> None:
        for mode in (ModeName.STARTTLS, ModeName.PAIR):
            for name in DIALECTS:
                options = self.parse(f"--mode={mode.value}", f"--dialect={name}")
                self.assertEqual(options["mode"], mode)

    def test_a_backend_needs_a_dialect_with_a_filter(self) -> None:
        for name, dialect in DIALECTS.items():
            arguments = f"--dialect={name} --backend=tcp:a:25"
            if dialect.protocol_filter is not None:
                self.parse(*arguments.split())
            else:
                self.check_refused(
                    arguments,
                    f"--dialect is {name}, which a proxy cannot go on with to a plain "
                    "backend; use --role=echo or --role=sink",
                )
                self.parse(f"--dialect={name}")

    def test_alpn_includes_the_protocol_of_the_dialect(self) -> None:
        for arguments, expected in {
            "": [],
            "--alpn=h2,http/1.1": ["h2", "http/1.1"],
            "--dialect=postgres": ["postgresql"],
            "--dialect=postgres-direct --alpn=h2": ["h2", "postgresql"],
            "--dialect=postgres --alpn=postgresql,h2": ["postgresql", "h2"],
            "--dialect=smtp": [],
        }.items():
            self.assertEqual(self.parse(*arguments.split()).alpn(), expected, arguments)


class GuardOptionTests(OptionsCase):
    def test_the_guard_is_on_by_default(self) -> None:
        self.assertFalse(self.parse()["unsafe-injection"])
        self.assertTrue(self.parse("--unsafe-injection")["unsafe-injection"])

    def test_the_guard_can_be_off_on_loopback_and_unix_sockets(self) -> None:
        for where in (*(f"tcp:1:interface={each}" for each in LOOPBACK), "unix:a"):
            self.parse("--unsafe-injection", f"--listen={where}")
            self.assertTrue(is_loopback(where))

    def test_the_guard_cannot_be_off_elsewhere(self) -> None:
        for where in (
            "tcp:1",
            "tcp:1:interface=",
            "tcp:1:interface=0.0.0.0",
            r"tcp:1:interface=\:\:",
            "tcp:1:interface=192.0.2.1",
            "tcp:1:interface=127.example",
            "tcp:1:backlog=127",
            "tcp:interface=127.0.0.1:port=1:interface=0.0.0.0",
            "tcp6:1",
        ):
            self.assertFalse(is_loopback(where), where)
        self.check_refused(
            "--unsafe-injection --listen=tcp:1",
            "--unsafe-injection is for the loopback interface only, and --listen is 'tcp:1'; "
            "add interface=127.0.0.1",
        )

    def test_the_guard_cannot_be_off_if_one_endpoint_is_not_loopback(self) -> None:
        self.check_refused(
            "--unsafe-injection --listen=tcp:1:interface=127.0.0.1 --listen=tcp:2",
            "--unsafe-injection is for the loopback interface only, and --listen is 'tcp:2'",
        )


class LimitOptionTests(OptionsCase):
    SECONDS: ClassVar = ("plain", "handshake", "idle", "closing", "backend", "drain")

    def test_the_limits_have_defaults(self) -> None:
        options = self.parse()
        for name in self.SECONDS:
            self.assertGreater(options[f"{name}-timeout"], 0)
        for name in ("max-line", "max-plain"):
            self.assertGreater(options[name], 0)
        for name in ("max-connections", "max-per-address"):
            self.assertIsNone(options[name])

    def test_max_line_defaults_to_the_limit_of_the_dialect(
        self,
    ) -> None:
        class Verbose(LineServer):
            longest_line = 9000

        dialect = replace(DIALECTS["line"], server=Verbose)
        self.patch(server_options, "find_dialect", lambda name: dialect)
        self.assertEqual(self.parse("--dialect=line")["max-line"], 9000)
        self.assertEqual(self.parse("--dialect=line", "--max-line=100")["max-line"], 100)

    def test_the_idle_timeout_defaults_to_that_of_the_dialect(self) -> None:
        for arguments, seconds in (
            ((), 600), (("--dialect=smtp",), 600), (("--dialect=imap",), 1800),
            (("--dialect=auto:imap",), 1800), (("--dialect=imap", "--idle-timeout=5"), 5),
            (("--dialect=imap", "--idle-timeout=0"), 0),
        ):  # fmt: skip
            self.assertEqual(self.parse(*arguments)["idle-timeout"], seconds)

    def test_timeouts_can_be_set_and_disabled(self) -> None:
        for name in self.SECONDS:
            self.assertEqual(self.parse(f"--{name}-timeout=0.5")[f"{name}-timeout"], 0.5)
            self.assertEqual(self.parse(f"--{name}-timeout=0")[f"{name}-timeout"], 0)
            for bad in ("-1", "x", "nan", "inf", ""):
                self.check_refused(f"--{name}-timeout={bad}", f"--{name}-timeout is '{bad}', not ")

    def test_numbers_have_a_minimum(self) -> None:
        for name, least in (
            ("max-line", 64), ("max-plain", 64), ("max-connections", 0), ("max-per-address", 0),
            ("max-buffer", 1024),
        ):  # fmt: skip
            options = self.parse("--dialect=smtp", "--max-line=64", f"--{name}={least}")
            self.assertEqual(options[name], least)
            for bad in (str(least - 1), "x", "1.5"):
                self.check_refused(f"--{name}={bad}", f"--{name} is '{bad}', not ")

    def test_high_water_is_limited_by_max_buffer(self) -> None:
        options = self.parse("-r", "--max-buffer=9000", "--high-water=4500")
        self.assertEqual(options["high-water"], 4500)
        self.check_refused(
            "--max-buffer=9000 --high-water=4501",
            "--high-water is 4,501, more than half of --max-buffer, which is 9,000",
        )


def limits_of(settings: ServerSettings) -> tuple[bool, int, int]:
    """The guard and the bounds of a negotiation that these settings make."""
    negotiation: Any = settings.connection.negotiation()
    return negotiation._guard, negotiation._max_line, negotiation._max_plain


class MakeServiceTests(OptionsCase):
    def setUp(self) -> None:
        super().setUp()
        self.patch(tap, "_Service", lambda config, *_, **__: config)

    def config(self, *arguments: str) -> ServerSettings:
        certs = f"--certs={certificates().authority.parent.parent}"
        made: Any = tap.makeService(self.parse(certs, *arguments))
        assert isinstance(made, ServerSettings)
        return made

    def test_clients_are_told_in_the_dialects_words_that_there_is_no_backend(self) -> None:
        settings = self.config("--dialect=smtp", "--hostname=mail.example")
        said = settings.dialect.unavailable(settings.names)
        self.assertTrue(said.startswith(b"421 4.3.2 mail.example "))

    def test_there_are_no_more_connections_than_descriptors_for_them(self) -> None:
        self.patch(connection_limit, "raise_descriptor_limit", lambda: 1024)
        for arguments, possible, each in (
            (["--role=echo"], 960, 1),
            (["--backend=tcp:127.0.0.1:25"], 480, 2),
            ([], 320, 3),
        ):
            # It is worth a warning only if somebody has asked for more.
            for wanted, level in ((["--max-connections=20000"], "warn"), ([], "info")):
                with capturedLogs() as events:
                    settings = self.config(*wanted, *arguments)
                self.assertEqual(settings.max_connections, possible)
                (event,) = events
                self.assertEqual(
                    formatEvent(event),
                    f"at most {possible} connections are accepted, not --max-connections=20000: "
                    f"each takes {each} of the 1024 file descriptors that this process may open "
                    "(ulimit -n)",
                )
                self.assertEqual(event["log_level"].name, level)
        with capturedLogs() as events:
            self.assertEqual(self.config("--max-connections=0").max_connections, 320)
            self.assertEqual(self.config("--max-connections=9").max_connections, 9)
            self.patch(connection_limit, "raise_descriptor_limit", lambda: 1 << 20)
            self.assertEqual(self.config().max_connections, 20_000)
        self.assertEqual(events, [])

    def test_each_of_several_workers_has_descriptors_of_its_own(self) -> None:
        self.patch(connection_limit, "raise_descriptor_limit", lambda: 1024)
        with capturedLogs() as events:
            for asked in (3840, 0):
                self.assertEqual(connection_limit.lowered(asked, each=1, workers=4), 3840)
            self.assertEqual(events, [])
            self.assertEqual(connection_limit.lowered(3841, each=1, workers=4), 3840)
        self.assertEqual(
            [formatEvent(event) for event in events],
            [
                "at most 3840 connections are accepted, not --max-connections=3841: each takes 1 "
                "of the 1024 file descriptors that each of 4 processes may open (ulimit -n)"
            ],
        )

    def test_the_service_has_the_dialect_the_guard_and_the_limits(self) -> None:
        config = self.config(
            *("--dialect=auto:smtp", "--unsafe-injection", "--max-line=100", "--max-plain=200"),
            *("--plain-timeout=1", "--handshake-timeout=2", "--idle-timeout=3"),
            *("--closing-timeout=4", "--backend-timeout=5", "--drain-timeout=6"),
            *("--max-connections=7", "--max-per-address=8", "--max-buffer=9000"),
        )
        self.assertEqual((config.dialect, config.auto), (DIALECTS["smtp"], True))
        self.assertFalse(config.guard)
        self.assertEqual(limits_of(config), (False, 100, 200))
        self.assertEqual(config.connection.timeouts, Timeouts(1, 2, 3, 4))
        self.assertEqual((config.backend_timeout, config.drain), (5, 6))
        self.assertEqual((config.max_connections, config.max_per_address), (7, 8))
        connection = config.connection
        self.assertEqual((connection.max_buffer, connection.transport.high_water), (9000, 4500))

    def test_the_service_has_the_name_of_the_server(self) -> None:
        for dialect in ("smtp", "auto:smtp"):
            config = self.config(f"--dialect={dialect}", "--hostname=mail.example.org")
            negotiation = config.connection.negotiation()
            commands = [*negotiation.start(), *negotiation.nothing_came()]
            self.assertEqual(commands, [Say(b"220 mail.example.org ESMTP\r\n")])
        self.check_refused(
            "--hostname=a_b/c", "--hostname is 'a_b/c', not a host name or an address in brackets"
        )

    def test_by_default_the_service_is_limited_and_guarded(self) -> None:
        config = self.config()
        self.assertEqual((config.guard, config.auto), (True, False))
        self.assertEqual(limits_of(config), (True, MAX_LINE, MAX_PLAIN))
        connection = config.connection
        self.assertEqual(
            (connection.max_buffer, connection.transport.high_water), (MAX_BUFFER, 1 << 16)
        )
        self.assertTrue(all(seconds > 0 for seconds in vars(config.connection.timeouts).values()))

    def test_the_protocols_are_passed_to_tls(self) -> None:
        told: list[object] = []
        real = ServerTLS.build

        def build(first: Any, client_auth: Any, alpn: Any, **named: Any) -> ServerTLS:
            told.append(alpn)
            return real(first, client_auth, alpn, **named)

        self.patch(ServerTLS, "build", build)
        self.config("--dialect=postgres")
        self.assertEqual(told, [["postgresql"]])


class ServerTests(ServerInMemory):
    """The effect of these options in a server."""

    def test_a_disabled_guard_is_logged_as_unsafe(self) -> None:
        for guard in (True, False):
            self.setUp()
            with self.lines() as lines:
                self.started(guard=guard)
            self.assertEqual([line for line in lines if line.startswith("UNSAFE: ")], lines[1:])
            self.assertEqual(len(lines), 1 if guard else 2)

    def test_the_dialect_is_logged(self) -> None:
        for auto, name in ((False, "dialect smtp"), (True, "dialect auto:smtp")):
            self.setUp()
            with self.lines() as lines:
                self.started(mode=ModeName.PAIR, dialect=DIALECTS["smtp"], auto=auto)
            self.assertIn(f"mode pair, {name}, ", lines[0])

    def test_each_connection_has_a_negotiation_with_the_limits(self) -> None:
        self.started(mode=ModeName.PAIR, dialect=DIALECTS["smtp"], max_line=64)
        for peer in (1, 2):
            wire = self.accepted(peer)
            self.assertEqual(wire.take(), b"220 tlsdemo ESMTP\r\n")
            with self.lines() as lines:
                wire.deliver(b"x" * 64)
                wire.take()
                wire.turn()
            self.assertEqual(
                lines,
                [f"#{peer} 192.0.2.1:{peer} failed: too much before TLS: "
                 "a line of more than 64 bytes"],
            )  # fmt: skip

    def test_connections_above_the_limit_are_refused_in_every_mode(self) -> None:
        for mode in (ModeName.PAIR, ModeName.WRAPPED, ModeName.CLEAR):
            self.setUp()
            server = self.started(mode=mode, max_connections=1)
            wire = self.accepted(1)
            events = self.refused_events()
            self.assertEqual([str(formatEvent(event)) for event in events],
                ["#0 ? failed: too many connections: there are 1 already, "
                 "the limit of --max-connections"])  # fmt: skip
            self.assertEqual(events[0]["log_level"], LogLevel.warn)
            self.assertEqual(server.snapshot().failed, {"too many connections": 1})
            wire.loseConnection()
            wire.abortConnection()
            wire.turn()
            self.accepted(2)

    def refused_events(self) -> list[Any]:
        with capturedLogs() as events:
            self.assertIsNone(self._factory(8899).buildProtocol(None))
        return list(events)
