"""Loads on TLS servers that speak TLS first: nginx, HAProxy, Node and openssl s_server."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import socketserver
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from interop.attempts import tried
from interop.load import LoadCase
from interop.peers import await_port, free_port, program
from tests.support import certificates

ENDS = "counts of connections and bytes are equal on both ends"

_NGINX = """
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off;
master_process off;
pid {home}/pid;
error_log {home}/error.log warn;
events {{
  worker_connections 512;
}}
stream {{
  log_format ends "tls=$ssl_cipher resumed=$ssl_session_reused in=$bytes_received out=$bytes_sent";
  access_log {home}/access.log ends;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {home}/cert;
    ssl_certificate_key {home}/key;
    ssl_client_certificate {home}/ca;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_verify_client on;
    ssl_session_cache shared:sessions:1m;
    proxy_pass 127.0.0.1:{behind};
  }}
}}
"""

# Of two threads that log at the same time, one may drop its line.
_HAPROXY = """
global
  nbthread 1
  log stdout format raw local0
defaults
  mode tcp
  log global
  timeout connect 5s
  timeout client 20s
  timeout server 20s
listen in
  bind 127.0.0.1:{port} ssl crt {home}/both ca-file {home}/ca verify required
  log-format "tls=%sslc resumed=%[ssl_fc_is_resumed] in=%U out=%B end=%ts"
  server s 127.0.0.1:{behind}
"""

_NODE = """
const fs = require('fs'), tls = require('tls');
const [cert, key, ca] = process.argv.slice(1).map((name) => fs.readFileSync(name));
const options = {cert, key, ca, requestCert: true, rejectUnauthorized: true};
const total = {secured: 0, resumed: 0, received: 0, sent: 0, ended: 0, failed: 0};
const server = tls.createServer(options, (socket) => {
  total.secured++;
  if (socket.isSessionReused()) total.resumed++;
  socket.on('data', (data) => { total.received += data.length; total.sent += data.length; });
  socket.on('end', () => total.ended++);
  socket.on('error', () => total.failed++);
  socket.pipe(socket);
});
server.on('tlsClientError', () => total.failed++);
server.listen(0, '127.0.0.1', () => console.log(`listening on ${server.address().port}`));
process.on('SIGTERM', () => { console.log(JSON.stringify(total)); process.exit(0); });
"""

_LINE = r"tls=(?![-(])\S+ resumed=(\S+) in=(\d+) out=(\d+)"


class Echo(socketserver.ThreadingTCPServer):
    """A plain echo server behind the proxies, in a thread."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Echo)


class _Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        with contextlib.suppress(OSError):
            while data := self.request.recv(1 << 16):
                self.request.sendall(data)


class Proxies(LoadCase):
    """``before`` starts one before a port, and returns the proxy's own port and its log."""

    before: Callable[[int], tuple[int, Path]]

    def setUp(self) -> None:
        super().setUp()
        echo = Echo()
        thread = threading.Thread(target=echo.serve_forever, args=(0.02,))
        thread.start()
        for cleanup in (echo.server_close, thread.join, echo.shutdown):
            self.addCleanup(cleanup)
        self.behind = int(echo.server_address[1])

    def equal(self, *options: str, truncated: bool = False) -> Any:
        """Put a load on a proxy; return the client's counters if it has logged the same."""
        port, log = self.before(self.behind)
        counters = self.load(port, *options, truncated=truncated)
        logged = self.seen(log, _LINE, counters["begun"])
        received = sum(int(line[1]) for line in logged)
        sent = sum(int(line[2]) for line in logged)
        self.assertEqual((received, sent), (counters["sent"], counters["received"]))
        resumed = sum(line[0] in ("r", "1") for line in logged)
        self.assertEqual(resumed, counters["resumed"])
        return counters

    def equal_for_all(self) -> None:
        """Put loads on a proxy, of each scenario but ``stream`` and ``readiness``."""
        for answered in (
            ("--scenario=pingpong", "--pipeline=4"),
            ("--scenario=churn", "--packets=1", "--resume"),
        ):
            counters = self.equal(*answered)
            self.assertGreater(counters["answered"], 0)
            self.assertEqual(counters["answered"], counters["packets"])
            self.assertEqual(counters["received"], counters["sent"])
        for each in (
            ("--scenario=churn",),
            ("--scenario=idle", "--trickle=0.1"),
            ("--scenario=mixed", "--mix=pingpong=1,churn=1,idle=1"),
        ):
            self.equal(*each)


class OfNginx(Proxies):
    def before(self, behind: int) -> tuple[int, Path]:
        """Start it."""
        nginx, port = program("nginx", "nginx libnginx-mod-stream"), free_port()
        home = self.folder()
        self.copy_certificate(home)
        config = home / "nginx.conf"
        config.write_text(_NGINX.format(home=home, port=port, behind=behind))
        self.daemon(
            *(*self.unprivileged(), nginx, "-e", str(home / "error.log"), "-p", str(home)),
            *("-c", str(self.chown(config))),
            stop_by=signal.SIGTERM,
        )
        await_port(port)
        return port, home / "access.log"

    @tried("`stream`: bytes are equal on both ends; it does not answer a close_notify", "nginx")
    def test_stream(self) -> None:
        counters = self.equal("--scenario=stream", "--rate=400", truncated=True)
        self.assertEqual(counters["received"], counters["sent"])

    @tried(f"`pingpong`, `churn`, `idle`, `mixed`: {ENDS}", "nginx")
    def test_the_other_scenarios(self) -> None:
        self.equal_for_all()


class OfHAProxy(Proxies):
    def before(self, behind: int) -> tuple[int, Path]:
        """Start it."""
        haproxy, port = program("haproxy", "haproxy"), free_port()
        home = self.folder()
        self.copy_certificate(home)
        (home / "both").write_text((home / "cert").read_text() + (home / "key").read_text())
        config, log = home / "haproxy.cfg", home / "log"
        config.write_text(_HAPROXY.format(home=home, port=port, behind=behind))
        self.daemon("sh", "-c", f"exec {haproxy} -db -f {config} >{log} 2>&1")
        await_port(port)
        return port, log

    @tried(f"`stream`: {ENDS}", "HAProxy")
    def test_stream(self) -> None:
        counters = self.equal("--scenario=stream", "--rate=400")
        self.assertEqual(counters["received"], counters["sent"])

    @tried(f"`pingpong`, `churn`, `idle`, `mixed`: {ENDS}", "HAProxy")
    def test_the_other_scenarios(self) -> None:
        self.equal_for_all()


class OfNode(LoadCase):
    @tried(f"`stream`, `pingpong`, `churn`, `idle`: {ENDS}", "Node")
    def test_an_echo_server(self) -> None:
        node, server = program("node", "nodejs"), certificates().server
        for options in (
            ("--scenario=stream",),
            ("--scenario=pingpong", "--rate=200"),
            ("--scenario=churn", "--packets=1", "--resume"),
            ("--scenario=churn",),
            ("--scenario=idle",),
        ):
            running = self.start(
                *(node, "-e", _NODE, str(server.certificate), str(server.key)),
                str(server.authority),
            )
            port = int(running.wait_for_line(r"listening on (\d+)")[1])
            counters = self.load(port, *options)
            running.signal(signal.SIGTERM)
            running.wait()
            total = json.loads(running.output.splitlines()[-1])
            begun = counters["begun"]
            self.assertEqual(
                total,
                {
                    "secured": begun, "ended": begun, "failed": 0,
                    "resumed": counters["resumed"], "received": counters["sent"],
                    "sent": counters["received"],
                }, options,
            )  # fmt: skip


class OfOpenSSL(LoadCase):
    @tried(
        "`pingpong`, `churn`, one connection at a time: as many on both ends", "openssl s_server"
    )
    def test_that_reverses_lines(self) -> None:
        server, port = certificates().server, free_port()
        running = self.start(
            *(
                program("openssl", "openssl"),
                "s_server",
                "-accept",
                f"127.0.0.1:{port}",
                "-rev",
                "-CAfile",
            ),
            *(str(server.authority), "-Verify", "1", "-verify_return_error"),
            *("-cert", str(server.certificate), "-key", str(server.key)),
        )
        running.wait_for_line("ACCEPT")
        line = ("--conn=1", r"--say=abc\n", "--expect=cba")
        begun = 0
        for options in (
            ("--scenario=pingpong",),
            ("--scenario=churn", "--packets=2"),
            ("--scenario=churn", "--packets=1", "--resume"),
        ):
            counters = self.answered(port, *line, *options)
            self.assertEqual(counters["received"], counters["sent"])
            begun += counters["begun"]
        running.signal(signal.SIGTERM)
        running.wait()
        self.assertEqual(len(re.findall("CONNECTION CLOSED", running.output)), begun)
