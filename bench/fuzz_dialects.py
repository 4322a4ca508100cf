"""``python -m bench.fuzz_dialects``: feeds random input to every role of every dialect.

The input is what a good peer sends, cut, repeated, swapped, overwritten with random bytes, mixed
with messages of other dialects, and fed in random pieces.  A negotiation must never raise, never
return a command after ``Switch`` or ``Refuse``, never let injected plaintext through (its guard is
on), and never take long.  The seed is printed, so a finding can be reproduced.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor

from tlsdemo.cli.standard_output import guarded
from tlsdemo.starttls.dialect import Dialect
from tlsdemo.starttls.negotiation import HANDSHAKE, Negotiation, Say, Switch
from tlsdemo.starttls.registry import DIALECTS

SLOW = 0.25
"""Seconds of CPU for one input of at most some KiB that count as a stall."""

_IN_TURN = 0.5
"""How many of the inputs come a turn at a time, which takes a client further than random cuts."""


def inputs(
    messages: Sequence[bytes], strange: list[bytes], source: random.Random
) -> Iterator[list[bytes]]:
    """Yield mutations of ``messages`` for ever; ``strange`` are messages of other dialects."""
    while True:
        pieces = list(messages)
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


def _sides(dialect: Dialect) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Return what each side sends; the beginning of a ClientHello if that is its request."""
    conversation = dialect.conversation
    return conversation.client or (HANDSHAKE + b"\x03\x01",), conversation.server


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


def fuzz(name: str, is_client: bool, count: int, seed: int) -> tuple[str, str | None]:
    """Feed ``count`` inputs to one role of a dialect; return a line, and the first thing wrong."""
    source = random.Random(f"{seed} {name} {is_client}")
    dialect = DIALECTS[name]
    strange = [message for each in DIALECTS.values() for side in _sides(each) for message in side]
    from_client, from_server = _sides(dialect)
    make = dialect.client if is_client else dialect.server
    label = f"{name} {'client' if is_client else 'server'}"
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
    parser.add_argument("--dialect", choices=[*DIALECTS], action="append")
    options = parser.parse_args(arguments)
    wrong = []
    print(f"seed {options.seed}", flush=True)
    with ProcessPoolExecutor(options.processes) as pool:
        running = [
            pool.submit(fuzz, name, is_client, options.inputs, options.seed)
            for name in options.dialect or DIALECTS
            for is_client in (False, True)
            if DIALECTS[name].negotiates
        ]
        for each in running:
            line, problem = each.result()
            print(line if problem is None else f"WRONG {problem}", flush=True)
            wrong += [problem] if problem else []
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(guarded("python -m bench.fuzz_dialects", main))
