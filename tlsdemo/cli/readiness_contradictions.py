"""What ``--scenario=readiness`` refuses: it is no load."""

from __future__ import annotations

from tlsdemo.cli.contradictions import Contradiction
from tlsdemo.cli.options import Options
from tlsdemo.tls.policy import TLSVersion


def _without_tls_1_3(options: Options) -> bool:
    highest: TLSVersion | None = options["tls-max"]
    return highest is not None and highest is not TLSVersion.TLS_1_3


_LOAD = (
    "conn workers packet-size duration packets burst connect-rate in-flight idle-timeout mix rate "
    "arrivals seed ramp warm-up steps slo pipeline say expect trickle resume prefill find-max check"
)

_NO_LOAD = (
    "and --scenario=readiness is no load: it makes one connection for each check; leave one away"
)

READINESS_CONTRADICTIONS = (
    Contradiction(
        "scenario",
        lambda options: "connect" not in options,
        "and tlsdemo run has only servers of its own; use twistd tlsclient --connect",
    ),
    Contradiction(
        f"{_LOAD} mode send background hgrm csv html repeat versus plan write-plan cluster",
        lambda _: True,
        _NO_LOAD,
    ),
    Contradiction("status", lambda options: options["status"] != "none", _NO_LOAD),
    Contradiction(
        "tls-max",
        _without_tls_1_3,
        "and --scenario=readiness is about TLS 1.3; leave one away",
    ),
)
