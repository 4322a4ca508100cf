"""Loads on TLS servers that speak TLS first: nginx, HAProxy, Node and openssl s_server."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from typing import Any

from interop.attempts import tried
from interop.load import LoadCase, openssl
from interop.peers import await_port, free_port, program
from tests.support import certificates

ENDS = "counts of connections and bytes are equal on both ends"

_NGINX = """
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
worker_processes 1;
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

_HAPROXY = """
global
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


class Proxies(LoadCase):
    """What they have logged of each connection, and what our echo server behind them received."""

    of_all = 0

    def equal(self, log: Path, counters: Any) -> None:
        """Fail unless a proxy has logged of its last load what the client has counted."""
        self.of_all += counters["begun"]
        logged = self.seen(log, _LINE, self.of_all)[-counters["begun"] :]
        received = sum(int(line[1]) for line in logged)
        sent = sum(int(line[2]) for line in logged)
        self.assertEqual((received, sent), (counters["sent"], counters["received"]), counters)
        resumed = sum(line[0] in ("r", "1") for line in logged)
        self.assertEqual(resumed, counters["resumed"])

    def loads(self, port: int, log: Path) -> None:
        """Put loads on a proxy; fail unless it has logged what the client has counted."""
        for options in (
            ("--scenario=pingpong", "--pipeline=4"),
            ("--scenario=churn", "--packets=1", "--resume"),
        ):
            counters = self.answered(port, *options)
            self.assertEqual(counters["received"], counters["sent"])
            self.equal(log, counters)
        for options in (
            ("--scenario=churn",),
            ("--scenario=idle", "--trickle=0.1"),
            ("--scenario=mixed", "--mix=pingpong=1,churn=1,idle=1"),
        ):
            self.equal(log, self.load(port, *options))
        self.assertRegex(self.summary(self.running), r"summary: \d+ connections, .*failed 0")


class OfNginx(Proxies):
    @tried(f"every scenario but readiness: {ENDS}", "nginx")
    def test_stream(self) -> None:
        nginx, port = program("nginx", "nginx libnginx-mod-stream"), free_port()
        home = self.folder()
        self.copy_certificate(home)
        config = home / "nginx.conf"
        config.write_text(_NGINX.format(home=home, port=port, behind=self.echo()))
        self.daemon(
            *(*self.unprivileged(), nginx, "-e", str(home / "error.log"), "-g", "daemon off;"),
            *("-p", str(home), "-c", str(self.chown(config))),
            stop_by=signal.SIGTERM,
        )
        await_port(port)
        log = home / "access.log"
        # It does not answer a close_notify, so nobody knows whether it has read what came before.
        self.equal(log, self.load(port, "--scenario=stream", "--rate=400", truncated=True))
        self.loads(port, log)


class OfHAProxy(Proxies):
    @tried(f"every scenario but readiness: {ENDS}", "HAProxy")
    def test_tcp(self) -> None:
        haproxy, port = program("haproxy", "haproxy"), free_port()
        home = self.folder()
        self.copy_certificate(home)
        (home / "both").write_text((home / "cert").read_text() + (home / "key").read_text())
        config, log = home / "haproxy.cfg", home / "log"
        config.write_text(_HAPROXY.format(home=home, port=port, behind=self.echo()))
        self.daemon("sh", "-c", f"exec {haproxy} -db -f {config} >{log} 2>&1")
        await_port(port)
        self.equal(log, self.load(port, "--scenario=stream", "--rate=400"))
        self.loads(port, log)


class OfNode(LoadCase):
    @tried(f"every scenario but readiness: {ENDS}", "Node")
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
    @tried("one connection at a time, `pingpong` and `churn`: as many on both ends", "openssl s_server")
    def test_that_reverses_lines(self) -> None:
        server, port = certificates().server, free_port()
        running = self.start(
            *(openssl(), "s_server", "-accept", f"127.0.0.1:{port}", "-rev", "-CAfile"),
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
