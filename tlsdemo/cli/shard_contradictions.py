"""What ``twistd tlsclient`` refuses, because a plan says it, or a shared load cannot do it."""

from __future__ import annotations

from tlsdemo.cli.contradictions import Contradiction
from tlsdemo.cli.load_options import LoadOptions
from tlsdemo.cli.options import Options

_OF_THIS_MACHINE = {
    *("cert", "key", "ca", "passphrase-file", "key-type", "certs"),
    *("help", "help-all", "version", "check", "workers"),
}

_OF_THE_PLAN = [
    *("connect", "server-name", "mode", "send", "open-for", "cluster", "write-plan"),
    *(
        name
        for names in LoadOptions.grouped().values()
        for name in names
        if name not in _OF_THIS_MACHINE
    ),
]


def _has_plan(options: Options) -> bool:
    return options["plan"] is not None


def _writes_plan(options: Options) -> bool:
    return options["write-plan"] is not None


def _has_cluster(options: Options) -> bool:
    return options["cluster"] is not None


SHARD_CONTRADICTIONS = (
    Contradiction(
        " ".join(_OF_THE_PLAN),
        _has_plan,
        "and --plan says what the load is; leave it away, or write another plan",
    ),
    Contradiction(
        "check",
        lambda options: _has_plan(options) or _writes_plan(options),
        "which is of the whole load: give it to tlsdemo merge",
    ),
    Contradiction(
        "workers",
        lambda options: _has_plan(options) or _writes_plan(options),
        "and a shard is run by one process: use more shards",
    ),
    Contradiction("start-at", lambda options: not _has_plan(options), "and is only for a --shard"),
    Contradiction(
        "open-for",
        lambda options: not (_writes_plan(options) or _has_cluster(options)),
        "and is only for --write-plan and --cluster",
    ),
    Contradiction(
        "find-max",
        lambda options: _writes_plan(options) or _has_cluster(options),
        "and shards follow a plan that says all beforehand, while a search decides after each "
        "window by what all have measured; use --steps",
    ),
    Contradiction(
        "json hgrm csv html quiet cluster",
        _writes_plan,
        "and --write-plan={write-plan} puts on no load; leave one away",
    ),
    Contradiction(
        "repeat versus",
        lambda options: _has_plan(options) or _writes_plan(options) or _has_cluster(options),
        "and a load that is shared is put on one server, once; leave it away",
    ),
    Contradiction(
        "passphrase-file",
        _has_cluster,
        "and passphrases are not sent to workers: set TLSDEMO_PASSPHRASE where they are started",
    ),
    Contradiction(
        "background",
        lambda options: _writes_plan(options) or _has_cluster(options),
        "and --write-plan and --cluster stay in the foreground",
    ),
)
