from __future__ import annotations

from typing import Any

from twisted.application.service import Application, IServiceCollection, MultiService
from twisted.internet import reactor
from twisted.logger import ILogObserver, capturedLogs, formatEvent

from tests.cli.refusals import RefusingCase
from tests.support import certificates
from tlsdemo import tap
from tlsdemo.cli.hangup import Hangup
from tlsdemo.net.bounded_log import BoundedLog
from tlsdemo.net.runtime_folder import STATUS
from tlsdemo.proxy.handlers import HandlerName
from tlsdemo.proxy.server_settings import ServerSettings
from tlsdemo.proxy.service import CannotStart, Server
from tlsdemo.tls import (
    ClientAuth,
    Delivery,
    ModeName,
    Send,
    ServerTLS,
    UnusableCredentials,
    session_tickets,
)


class TapCase(RefusingCase):
    def parse(self, *arguments: str) -> tap.Options:
        options = tap.Options()
        options.parseOptions(arguments)
        return options


class DefaultTests(TapCase):
    def test_by_default_it_listens_on_the_original_port_on_loopback_only(self) -> None:
        self.assertEqual(self.parse()["listen"], ["tcp:8899:interface=127.0.0.1"])
        self.assertEqual(self.parse()["status"], STATUS)

    def test_the_defaults_are_a_complete_demonstration(self) -> None:
        options = self.parse()
        self.assertEqual(options["mode"], ModeName.STARTTLS)
        self.assertEqual(options["role"], HandlerName.PROXY)
        self.assertIsNone(options["backend"])
        self.assertEqual(options["client-auth"], ClientAuth.REQUIRED)
        self.assertIsNone(options["delivery"])
        self.assertEqual((options["interval"], options["log-every"]), (5.0, 100))

    def test_instances_do_not_share_their_listen_option(self) -> None:
        self.parse("--listen=tcp:1")
        self.assertEqual(self.parse("--listen=tcp:2")["listen"], ["tcp:2"])


class ParsingTests(TapCase):
    def test_only_some_numbers_of_tickets_can_be_set_with_some_versions(self) -> None:
        for number in (0, 2):
            self.assertEqual(self.parse(f"--session-tickets={number}")["session-tickets"], number)
        self.patch(session_tickets, "CAN_SET_NUMBER", False)
        message = self.refused(lambda: self.parse("--session-tickets=1"))
        self.assertIn("--session-tickets is '1', this version of pyOpenSSL can only", message)

    def test_every_value_is_parsed(self) -> None:
        options = self.parse(
            *("--mode=pair", "--delivery=readable", "--high-water=1", "--role=echo"),
            *("--client-auth=optional", "--interval=0.5", "--log-first=0", "--log-every=0"),
            *("--remember=7", "--listen=tcp:1", "--listen=unix:a", "--status=unix:b"),
        )
        self.assertEqual(
            {name: options[name] for name in (
                "mode", "delivery", "high-water", "role", "client-auth", "interval", "log-first",
                "log-every", "remember", "listen", "status",
            )},
            {
                "mode": ModeName.PAIR,
                "delivery": Delivery.READABLE,
                "high-water": 1,
                "role": HandlerName.ECHO,
                "client-auth": ClientAuth.OPTIONAL,
                "interval": 0.5,
                "log-first": 0,
                "log-every": 0,
                "remember": 7,
                "listen": ["tcp:1", "unix:a"],
                "status": "unix:b",
            },
        )  # fmt: skip

    def test_new_is_an_alias_for_mode_starttls(self) -> None:
        self.assertEqual(self.parse("--new")["mode"], ModeName.STARTTLS)
        self.assertEqual(self.parse("--mode=starttls", "--new")["mode"], ModeName.STARTTLS)

    def test_readable_is_an_alias_for_delivery_readable(self) -> None:
        for flag in ("--readable", "-r"):
            self.assertEqual(self.parse(flag)["delivery"], Delivery.READABLE)

    def test_the_status_service_is_optional(self) -> None:
        self.assertIsNone(self.parse("--status=none")["status"])

    def test_a_proxy_may_have_a_backend(self) -> None:
        self.assertEqual(self.parse("--backend=tcp:localhost:25")["backend"], "tcp:localhost:25")

    def test_errors_are_one_line_with_the_option_and_the_value(self) -> None:
        for arguments, expected in {
            "--mode=x": "--mode is 'x', none of starttls, pair, wrapped, clear",
            "--delivery=x": "--delivery is 'x', none of record, coalesced, readable",
            "--high-water=0": "--high-water is '0', not between 1 and 1,099,511,627,776",
            "--role=x": "--role is 'x', none of proxy, echo, sink",
            "--client-auth=x": "--client-auth is 'x', none of required, optional, none",
            "--session-tickets=x": "--session-tickets is 'x', not a whole number",
            "--interval=0": "--interval is '0', not between 0.1 and 1,000,000 seconds",
            "--log-first=-1": "--log-first is '-1', not between 0 and 1,099,511,627,776",
            "--log-every=x": "--log-every is 'x', not a whole number",
            "--remember=0": "--remember is '0', not between 1 and 1,099,511,627,776",
            "--listen=x": "--listen is 'x', not an endpoint string",
            "--listen=tcp:1 --listen=y": "--listen is 'y', not an endpoint string",
            "--status=x": "--status is 'x', not an endpoint string",
            "--status=tcp:8898": "--status is 'tcp:8898', and the status service is for this "
            "machine only; add interface=127.0.0.1",
            "--backend=x": "--backend is 'x', not an endpoint string",
            "--role=echo --backend=tcp:a:1": "--backend is for --role=proxy, and --role is echo",
            "--new --mode=pair": "--new is given, which is --mode=starttls, and --mode is pair",
            "-r --delivery=record": "--readable is given, which is --delivery=readable, and "
            "--delivery is record; use one",
            "--mode=clear --cert=x.pem": "--cert is 'x.pem', and --mode=clear has no TLS",
            "--mode=clear --client-auth=none": "--client-auth is 'none', and --mode=clear has",
            "--mode=clear --unsafe-injection": "--unsafe-injection is given, and --mode=clear has",
            "--alpn=h2,,x": "--alpn is 'h2,,x', with a name of 0 bytes, not 1 to 255",
            f"--alpn={'x' * 256}": f"--alpn is '{'x' * 256}', with a name of 256 bytes, not",
            "--alpn=h2,x,h2": "--alpn is 'h2,x,h2', with h2 more than once; name it once",
            "--high-water=5000": "--high-water is '5000', which is for --delivery=readable only",
            "--role=echo --backend-timeout=5": "--backend-timeout is '5', and --role=echo has no",
            "--max-line=100": "--max-line is '100', and nothing is said before TLS",
            "--dialect=smtp --max-line=100 --max-plain=64": "--max-line is '100', more than all",
            "--proxy-protocol-max=64": "--proxy-protocol-max is '64', and no header is expected",
            "--status=none --remember=5": "--remember is '5', and --status=none has no status",
            "--log-events --log-first=0 --log-every=0": "--log-events is given, and --log-first=0",
            "--trace-format=qlog": "--trace-format is 'qlog', and nothing is traced; add "
            "--trace=FILE",
            "--trace-format=x": "--trace-format is 'x', none of json, qlog",
            "--trace-every=5": "--trace-every is '5', and nothing is traced; add --trace=FILE",
            "--tls-min=1.3 --ciphers=ECDHE+AESGCM": "--ciphers is 'ECDHE+AESGCM', which are for",
            "--listen=tcp:99999": "--listen is 'tcp:99999', not an endpoint string",
            "--nonsense": "option --nonsense not recognized",
            "8899": "'8899' is not understood",
        }.items():
            message = self.refused(lambda each=arguments: self.parse(*each.split()))  # type: ignore[misc]
            self.assertTrue(message.startswith(f"twistd tlsdemo: {expected}"), message)


class MakeServiceTests(TapCase):
    def setUp(self) -> None:
        super().setUp()
        self.patch(tap, "_Service", lambda config, reactor, *_, **__: (config, reactor))
        self.where = f"--certs={certificates().authority.parent.parent}"

    def config(self, *arguments: str) -> ServerSettings:
        made: Any = tap.makeService(self.parse(self.where, *arguments))
        config, used = made
        self.assertIs(used, reactor)
        assert isinstance(config, ServerSettings)
        return config

    def test_the_service_has_the_settings_of_the_options(self) -> None:
        config = self.config(
            *("--mode=wrapped", "--listen=tcp:1", "--listen=tcp:2", "--status=unix:a"),
            *("--backend=tcp:a:1", "--interval=7", "--log-first=8", "--log-every=9"),
            *("--remember=10", "--high-water=11", "--delivery=readable"),
        )
        self.assertEqual(config.connection.mode.name, ModeName.WRAPPED)
        self.assertEqual((config.listen, config.status), (["tcp:1", "tcp:2"], "unix:a"))
        self.assertEqual((config.handler, config.backend), (HandlerName.PROXY, "tcp:a:1"))
        self.assertEqual((config.interval, config.log_first, config.log_every), (7.0, 8, 9))
        self.assertEqual(config.remember, 10)
        self.assertEqual(
            (config.connection.transport.delivery, config.connection.transport.high_water),
            (Delivery.READABLE, 11),
        )

    def test_delivery_defaults_to_that_of_the_mode(self) -> None:
        self.assertEqual(
            self.config("--mode=starttls").connection.transport.delivery, Delivery.RECORD
        )
        self.assertEqual(
            self.config("--mode=pair").connection.transport.delivery, Delivery.COALESCED
        )
        self.assertEqual(
            self.config("--mode=pair", "-r").connection.transport.delivery, Delivery.READABLE
        )
        self.assertEqual(self.config("--mode=starttls").connection.transport.send, Send.BUFFERED)

    def test_client_auth_is_passed_on(self) -> None:
        demanded = []
        real = ServerTLS.build

        def build(files: Any, client_auth: ClientAuth, *others: Any, **named: Any) -> ServerTLS:
            demanded.append(client_auth)
            return real(files, client_auth, *others, **named)

        self.patch(ServerTLS, "build", build)
        for name in ("required", "optional", "none"):
            self.config(f"--client-auth={name}")
        self.assertEqual(demanded, [ClientAuth.REQUIRED, ClientAuth.OPTIONAL, ClientAuth.NONE])

    def test_unusable_credentials_are_reported_in_one_line(self) -> None:
        def build(*_: Any, **__: Any) -> None:
            raise UnusableCredentials("OpenSSL cannot use a.pem: key too small")

        self.patch(ServerTLS, "build", build)
        message = self.refused(self.config)
        self.assertEqual(message, "twistd tlsdemo: OpenSSL cannot use a.pem: key too small")

    def test_a_missing_file_is_reported_in_one_line(self) -> None:
        message = self.refused(lambda: self.config("--ca=/nowhere/ca.pem"))
        self.assertEqual(
            message,
            "twistd tlsdemo: authority '/nowhere/ca.pem' cannot be read: No such file or directory",
        )


class StartTests(RefusingCase):
    def setUp(self, parent: Any = None) -> None:
        super().setUp()
        options = tap.Options()
        options.parseOptions([f"--certs={certificates().authority.parent.parent}"])
        options.parent = parent
        self.service = tap.makeService(options)

    def test_twist_cannot_run_it(self) -> None:
        message = self.refused(lambda: self.setUp({"reactorName": "default"}))
        self.assertEqual(message, "twistd tlsdemo: only twistd can run this service; use twistd -n")

    def test_garbage_is_collected_rarely_in_a_process_of_its_own(self) -> None:
        called: list[str] = []
        self.patch(tap, "collect_rarely", lambda: called.append("yes"))
        self.patch(Hangup, "install", lambda _: None)
        self.patch(Server, "startService", lambda _: None)
        self.patch(Server, "listening", lambda _: [])
        for parent, expected in (
            (None, []),
            ({"nodaemon": True}, ["yes"]),
        ):
            self.setUp(parent)
            self.service.startService()
            self.assertEqual(called, expected)

    def test_what_twistd_logs_is_bounded_unless_it_has_a_logger(self) -> None:
        plain = {"logfile": "-", "nodaemon": True, "syslog": False, "prefix": ""}
        for parent, bounded in (
            ({**plain, "logger": None}, True),
            ({**plain, "logger": "somewhere.else"}, False),
            (None, False),
        ):
            self.setUp(parent)
            application = Application("tlsdemo")
            self.service.setServiceParent(application)
            observer = application.getComponent(ILogObserver, None)
            self.assertEqual(isinstance(observer, BoundedLog), bounded)
            self.assertEqual(list(IServiceCollection(application)), [self.service])

    def test_it_can_be_part_of_another_service(self) -> None:
        self.setUp({})
        whole = MultiService()
        self.service.setServiceParent(whole)
        self.assertEqual(list(whole), [self.service])

    def test_a_failure_to_start_is_an_exit_without_a_traceback(
        self,
    ) -> None:
        def cannot(_self: Server) -> None:
            raise CannotStart("cannot listen on tcp:8899: Address already in use")

        self.patch(Server, "privilegedStartService", cannot)
        with capturedLogs() as logged:
            failed = self.assertRaises(tap.StartFailed, self.service.privilegedStartService)
        self.assertIsInstance(failed, SystemExit)
        self.assertIsInstance(failed, Exception)
        self.assertEqual(failed.code, 1)
        texts = [formatEvent(event) for event in logged]
        self.assertEqual(texts, ["cannot listen on tcp:8899: Address already in use"])

    def test_a_server_starts(self) -> None:
        started: list[Server] = []

        def start(server: Server) -> None:
            started.append(server)

        self.patch(Server, "privilegedStartService", start)
        self.service.privilegedStartService()
        self.assertEqual(started, [self.service])
