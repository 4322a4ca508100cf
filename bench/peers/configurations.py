"""The configurations of nginx, HAProxy and stunnel, for the same task as every other peer's.

Each is one process on one processor, secures what it accepts, forwards the cleartext to the sink,
and demands a client certificate if the setup does.  The load pins version, cipher and group, so
that nothing is left for a server to choose.
"""

from __future__ import annotations

from bench.child import NotInstalled
from bench.peers.programs import find_program, module_path, program_output
from bench.peers.setup import Setup

_BACKLOG = 4096


def nginx(setup: Setup, port: int) -> str:
    """Return the configuration of nginx's stream module."""
    own = setup.credentials
    module = module_path(program_output(find_program("nginx"), "-V"))
    if module is not None and not module.exists():
        raise NotInstalled("nginx has no stream module (Debian: libnginx-mod-stream)")
    verify = f"ssl_client_certificate {own.authority}; ssl_verify_client on;"
    several = setup.workers > 1
    return f"""
{f"load_module {module};" if module else ""}
daemon off;
{f"worker_processes {setup.workers};" if several else "master_process off;"}
{"user root;" if several else ""}
worker_rlimit_nofile {4 * setup.connections + 256};
pid {setup.home}/nginx.pid;
error_log stderr crit;
events {{ worker_connections {2 * setup.connections + 256}; }}
stream {{
    server {{
        listen 127.0.0.1:{port} ssl backlog={_BACKLOG};
        ssl_certificate {own.certificate};
        ssl_certificate_key {own.key};
        {verify if setup.client_auth else ""}
        ssl_protocols TLSv1.2 TLSv1.3;
        proxy_pass 127.0.0.1:{setup.sink};
    }}
}}
"""


def haproxy(setup: Setup, port: int) -> str:
    """Return the configuration of HAProxy in mode tcp."""
    own, both = setup.credentials, setup.home / "haproxy.pem"
    assert own.certificate is not None and own.key is not None
    both.touch(mode=0o600)
    both.write_text(own.certificate.read_text() + own.key.read_text())
    verify = f"ca-file {own.authority} verify required" if setup.client_auth else ""
    return f"""
global
    nbthread {setup.workers}
    maxconn {setup.connections + 256}
    ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
    mode tcp
    timeout connect 30s
    timeout client 300s
    timeout server 300s
frontend tls
    bind 127.0.0.1:{port} backlog {_BACKLOG} ssl crt {both} {verify}
    default_backend sink
backend sink
    server sink 127.0.0.1:{setup.sink}
"""


def stunnel(setup: Setup, port: int) -> str:
    """Return the configuration of stunnel."""
    own = setup.credentials
    verify = f"CAfile = {own.authority}\nverifyChain = yes\nrequireCert = yes"
    return f"""
foreground = yes
pid =
debug = err
[tls]
accept = 127.0.0.1:{port}
connect = 127.0.0.1:{setup.sink}
cert = {own.certificate}
key = {own.key}
{verify if setup.client_auth else ""}
"""
