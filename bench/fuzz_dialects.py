"""``python -m bench.fuzz_dialects``: random input for every dialogue, and what it does about it.

For each dialect and role, the words of a good peer are cut, repeated, swapped, overwritten with
random bytes and joined with words of other dialects, and fed in random pieces.  A dialogue must
never raise, never give a command after ``Switch`` or ``Refuse``, never let what came in plain
behind the request for TLS through (its guard is on), and never take long.  The seed is printed,
so a finding can be repeated.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

from tlsdemo.starttls.negotiation import Negotiation, Refuse, Say, Switch
from tlsdemo.starttls.registry import DIALECTS, DialectName

SLOW = 0.25
"""Seconds of CPU for one input of at most some KiB that count as a stall."""

_IN_TURN = 0.5
"""How many of the inputs come a turn at a time, which takes a client further than random cuts."""

_ROUNDS = 20


def good_words(name: DialectName) -> tuple[list[bytes], list[bytes]]:
    """Return what a good client and a good server say to each other, a piece a turn."""
    dialect = DIALECTS[name]
    client, server = dialect.client(), dialect.server()
    said_by_client: list[bytes] = []
    said_by_server: list[bytes] = []
    to_server, to_client = _words(client.start()), _words(server.start())
    for _ in range(_ROUNDS):
        if to_client and not client.state.final:
            said_by_server.append(to_client)
            to_server += _words(client.receive(to_client))
        to_client = b""
        if to_server and not server.state.final:
            said_by_client.append(to_server)
            to_client = _words(server.receive(to_server))
        to_server = b""
    return said_by_client, said_by_server


def _words(commands: list[Say | Switch | Refuse]) -> bytes:
    return b"".join(command.data for command in commands if isinstance(command, Say))


def inputs(
    words: list[bytes], strange: list[bytes], source: random.Random
) -> Iterator[list[bytes]]:
    """Yield mutations of ``words`` for ever; ``strange`` are those of other dialects."""
    while True:
        pieces = list(words)
        for _ in range(source.randrange(4)):
            _mutate(pieces, strange, source)
        for _ in range(source.randrange(3)):
            if pieces:
                index = source.randrange(len(pieces))
                data = bytearray(pieces[index])
                at = source.randrange(len(data) + 1)
                data[at : at + source.randrange(5)] = source.randbytes(source.randrange(5))
                pieces[index] = bytes(data)
        yield pieces if source.random() < _IN_TURN else _cut(b"".join(pieces), source)


def _cut(data: bytes, source: random.Random) -> list[bytes]:
    pieces = []
    while data:
        size = source.choice((1, 2, 7, 64, 4096))
        pieces.append(data[:size])
        data = data[size:]
    return pieces


def _mutate(pieces: list[bytes], strange: list[bytes], source: random.Random) -> None:
    at = source.randrange(len(pieces) + 1)
    kind = source.randrange(6)
    if kind == 0:
        pieces.insert(at, source.choice(strange))
    elif kind == 1:
        pieces.insert(at, source.randbytes(source.randrange(40)))
    elif kind == 2:
        pieces.insert(at, b"\x16\x03\x01" + source.randbytes(source.randrange(8)))
    elif kind == 3 and pieces:
        pieces.insert(at, source.choice(pieces) * source.randrange(1, 4))
    elif kind == 4 and pieces:
        del pieces[source.randrange(len(pieces))]
    elif pieces:
        index = source.randrange(len(pieces))
        pieces[index] = pieces[index][: source.randrange(len(pieces[index]) + 1)]


def feed(negotiation: Negotiation, pieces: list[bytes]) -> str | None:
    """Feed the pieces, one after the other; return what was wrong, or ``None``."""
    commands = list(negotiation.start())
    for piece in pieces:
        if not negotiation.state.final:
            commands += negotiation.receive(piece)
    last = [each for each in commands if not isinstance(each, Say)]
    if len(last) > 1 or (last and commands[-1] is not last[0]):
        return f"commands after the end: {commands}"
    if bool(last) != negotiation.state.final:
        return f"state {negotiation.state} after {commands}"
    if last and isinstance(last[0], Switch) and last[0].injected:
        return f"the guard let {last[0].injected!r} through"
    return None


def fuzz(name: DialectName, is_client: bool, count: int, seed: int) -> tuple[str, str | None]:
    """Feed ``count`` inputs to one role of a dialect; return a line, and the first thing wrong."""
    source = random.Random(f"{seed} {name.value} {is_client}")
    strange = [word for each in DialectName for side in good_words(each) for word in side]
    from_client, from_server = good_words(name)
    make = DIALECTS[name].client if is_client else DIALECTS[name].server
    label = f"{name.value} {'client' if is_client else 'server'}"
    switched = refused = 0
    slowest = 0.0
    began = time.process_time()
    mutations = inputs(from_server if is_client else from_client, strange, source)
    for _ in range(count):
        pieces = next(mutations)
        negotiation = make()
        before = time.process_time()
        try:
            wrong = feed(negotiation, pieces)
        except Exception as error:
            wrong = f"raised {error!r}"
        spent = time.process_time() - before
        slowest = max(slowest, spent)
        if wrong is None and spent > SLOW:
            wrong = f"took {spent:.2f} s"
        if wrong is not None:
            return label, f"{label}: input {pieces!r}: {wrong}"
        switched += negotiation.state.value.startswith("switched")
        refused += negotiation.state.value == "refused"
    took = time.process_time() - began
    return (
        f"{label:24} {count:>9,} inputs, {switched:>8,} switched, {refused:>8,} refused, "
        f"slowest {slowest * 1000:6.2f} ms, {took:6.1f} s",
        None,
    )


def main(arguments: list[str] | None = None) -> int:
    """Fuzz every role of every dialect; return 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m bench.fuzz_dialects", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000, help="for each role")
    parser.add_argument("--seed", type=int, default=1, help="repeats a run")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--dialect", choices=[name.value for name in DialectName], action="append")
    options = parser.parse_args(arguments)
    names = [DialectName(name) for name in options.dialect] if options.dialect else DialectName
    wrong = []
    print(f"seed {options.seed}", flush=True)
    with ProcessPoolExecutor(options.processes) as pool:
        running = [
            pool.submit(fuzz, name, is_client, options.inputs, options.seed)
            for name in names
            for is_client in (False, True)
            # Without words there is nothing to feed.
            if good_words(name)[0]
        ]
        for each in running:
            line, problem = each.result()
            print(line if problem is None else f"WRONG {problem}", flush=True)
            wrong += [problem] if problem else []
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
