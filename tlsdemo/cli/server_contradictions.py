"""What ``twistd tlsdemo`` refuses, because its options contradict each other."""

from __future__ import annotations

from tlsdemo.cli.contradictions import Contradiction, lacks, sets
from tlsdemo.cli.options import Options
from tlsdemo.cli.tls_contradictions import ONLY_WITH_TLS, TLS_CONTRADICTIONS
from tlsdemo.proxy.handlers import HandlerName
from tlsdemo.proxy.listening import PROXY_PREFIX
from tlsdemo.tls import MODES, Delivery, ModeName


def _in_the_clear(options: Options) -> bool:
    return options["mode"] is ModeName.CLEAR


def _does_not_negotiate(options: Options) -> bool:
    _, dialect = options["dialect"]
    return not (dialect.server_negotiates and MODES[options["mode"]].allows_negotiation)


def _expects_no_header(options: Options) -> bool:
    return not any(where.startswith(PROXY_PREFIX) for where in options["listen"])


SERVER_CONTRADICTIONS = (
    Contradiction(
        "new", sets("mode", "starttls"), "which is --mode=starttls, and --mode is {mode}; use one"
    ),
    Contradiction(
        "readable",
        sets("delivery", "readable"),
        "which is --delivery=readable, and --delivery is {delivery}; use one",
    ),
    Contradiction(
        f"{ONLY_WITH_TLS} client-auth alpn handshake-timeout keylog unsafe-injection",
        _in_the_clear,
        "and --mode=clear has no TLS; leave one away",
    ),
    *TLS_CONTRADICTIONS,
    Contradiction(
        "high-water",
        lambda options: options["delivery"] is not Delivery.READABLE,
        "which is for --delivery=readable only; add it, or use --max-buffer",
    ),
    Contradiction(
        "backend-timeout",
        lambda options: options["role"] is not HandlerName.PROXY,
        "and --role={role} has no backend; leave one away",
    ),
    Contradiction(
        "max-line max-plain hostname",
        _does_not_negotiate,
        "and nothing is said before TLS; name a protocol with --dialect",
    ),
    Contradiction(
        "proxy-protocol-timeout proxy-protocol-max",
        _expects_no_header,
        "and no header is expected; add --proxy-protocol",
    ),
    Contradiction(
        "remember",
        lambda options: options["status"] is None,
        "and --status=none has no status service that could be asked; leave one away",
    ),
    Contradiction(
        "log-events",
        lambda options: options["log-first"] == 0 == options["log-every"],
        "and --log-first=0 and --log-every=0 select no connection; raise one of them",
    ),
    Contradiction(
        "trace-every trace-max trace-each trace-format",
        lacks("trace"),
        "and nothing is traced; add --trace=FILE",
    ),
)
