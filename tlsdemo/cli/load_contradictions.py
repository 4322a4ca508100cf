"""What ``twistd tlsclient`` and ``tlsdemo run`` refuse, because options contradict each other."""

from __future__ import annotations

from collections.abc import Sequence

from tlsdemo.cli.contradictions import Contradiction
from tlsdemo.cli.endpoint_strings import EndpointString
from tlsdemo.cli.options import Options
from tlsdemo.cli.tls_contradictions import ONLY_WITH_TLS, TLS_CONTRADICTIONS
from tlsdemo.loadgen.scenario import ScenarioName
from tlsdemo.loadgen.schedule import MOST_PREFILLED, prefilled
from tlsdemo.starttls.registry import DIALECTS
from tlsdemo.tls import MODES, ModeName

_HAVE_NAMES = ("smtp", "lmtp")
"""The dialects whose clients say their name."""


_END_AFTER_PACKETS = (ScenarioName.STREAM, ScenarioName.PINGPONG)


def _modes(options: Options) -> Sequence[ModeName]:
    """Return how the connections are secured: by the servers of a run, or by the client."""
    modes: Sequence[ModeName] = options["modes"] if "modes" in options else [options["mode"]]
    return modes


def _clients_mode(options: Options) -> ModeName | None:
    mode: ModeName | None = options["client-mode"] if "client-mode" in options else options["mode"]
    return mode


def in_the_clear(options: Options) -> bool:
    """Return whether no connection has TLS."""
    return all(mode is ModeName.CLEAR for mode in _modes(options))


def _cannot_negotiate(options: Options) -> bool:
    dialect, client = options["dialect"], _clients_mode(options)
    if dialect is None or not dialect.negotiates:
        return False
    modes = [MODES[mode] for mode in (*_modes(options), client) if mode is not None]
    servers = [each for each in modes if each.allows_negotiation]
    return not servers or (client is not None and not MODES[client].allows_negotiation)


def _says_nothing_before_tls(options: Options) -> bool:
    return not (options["dialect"] or DIALECTS["immediate"]).negotiates


def _says_no_name(options: Options) -> bool:
    return options["dialect"] is None or options["dialect"].name not in _HAVE_NAMES


def _connects_from_elsewhere(options: Options) -> bool:
    to = EndpointString.split(options.get("connect", "tcp:"))
    # Host, port, timeout and bindAddress.
    return to.kind != "tcp" or "bindAddress" in to.named or len(to.arguments) > 3


def _too_much(options: Options) -> bool:
    size = prefilled(options["conn"], options["packets"], options["packet-size"])
    return size > MOST_PREFILLED


LOAD_CONTRADICTIONS = (
    Contradiction(
        "source",
        _connects_from_elsewhere,
        "and --connect is '{connect}': source addresses are for tcp: without bindAddress",
    ),
    Contradiction(
        f"{ONLY_WITH_TLS} handshake-timeout server-name client-mode",
        in_the_clear,
        "and --mode=clear has no TLS; leave one away",
    ),
    *TLS_CONTRADICTIONS,
    Contradiction(
        "dialect",
        _cannot_negotiate,
        "and modes wrapped and clear do not negotiate; use starttls or pair",
    ),
    Contradiction(
        "max-line max-plain",
        _says_nothing_before_tls,
        "and nothing is said before TLS; name a protocol with --dialect",
    ),
    Contradiction(
        "client-name",
        _says_no_name,
        "which only clients of smtp and lmtp say; add --dialect=smtp",
    ),
    Contradiction(
        "prefill",
        lambda options: options["scenario"] is not ScenarioName.STREAM or options["packets"] == 0,
        "which encrypts what --scenario=stream sends, as many as --packets says: give both",
    ),
    Contradiction(
        "prefill",
        lambda options: options["rate"] or options["steps"] or options["find-max"],
        "and all packets are sent at once: leave away --rate, --steps and --find-max",
    ),
    Contradiction(
        "prefill",
        lambda options: options["send"] != "raw" or in_the_clear(options),
        "which makes a TLS record of each packet: use --send=raw, and another mode than clear",
    ),
    Contradiction(
        "prefill",
        _too_much,
        f"and all packets together would be more than {MOST_PREFILLED:,} bytes, as records: "
        "use fewer --conn, --packets or a smaller --packet-size",
    ),
    Contradiction(
        "status",
        lambda options: (
            options.is_given("versus")
            and options["status"] is not None
            and options["status"] != "none"
        ),
        "which is that of one server, and --versus names a second; give --status=none, or neither",
    ),
    Contradiction(
        "steps find-max",
        lambda options: options["packets"] > 0 and options["scenario"] in _END_AFTER_PACKETS,
        "and --packets is {packets}: the first rate would send all of them; leave one away",
    ),
    Contradiction(
        "versus",
        lambda options: options["versus"] == options["connect"],
        "which is --connect as well; to compare a server with itself, run the load twice, each "
        "with --json, and give tlsdemo compare both files",
    ),
    Contradiction(
        "duration",
        lambda options: options["packets"] > 0 and options["scenario"] in _END_AFTER_PACKETS,
        "and --packets is {packets}: the number of packets ends the sending; use one",
    ),
)
