"""What a Dask worker is asked to do, by ``Client.run``: run a shard in a process of its own.

These functions run in the event loop of the worker, which has to go on with its heartbeats, so they
are coroutines.  There is no reactor in that process, and no `ChildProcess`.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import tlsdemo
from tlsdemo.net.child_process import environment

COMMAND = (sys.executable, "-m", "tlsdemo.loadgen.shard_process")

LONGEST_LINE = 1 << 26
"""Bytes of what a shard reports at once."""

_running: dict[str, asyncio.subprocess.Process] = {}
"""The processes of this worker, by the topic of their load."""


async def clock() -> tuple[float, str]:
    """Return the time of this machine, and the version of tlsdemo that it has."""
    return time.time(), tlsdemo.__version__


async def leave_terminal() -> None:
    """Leave the process group: Ctrl-C in a terminal is for the command, which ends its workers."""
    os.setpgid(0, 0)


async def run_shard(task: Mapping[str, Any], topic: str, dask_worker: Any = None) -> Any:
    """Run a shard, publish what it reports, and return the document of its result.

    ``task`` is what `tlsdemo.loadgen.shard_process` reads.  ``dask_worker`` is given by Dask.
    Raises RuntimeError if the process ends without a result.
    """
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(),
        limit=LONGEST_LINE,
    )
    assert process.stdin is not None and process.stdout is not None
    assert process.stderr is not None
    _running[topic] = process
    errors = asyncio.ensure_future(process.stderr.read())
    try:
        process.stdin.write(json.dumps(dict(task)).encode() + b"\n")
        async for line in process.stdout:
            report = json.loads(line)
            if "result" in report:
                return report["result"]
            if "problem" in report:
                raise RuntimeError(report["problem"])
            dask_worker.log_event(topic, {**report, "shard": task["shard"]["number"]})
        status = await process.wait()
        said = (await errors).decode(errors="replace").strip().rpartition("\n")[2]
        why = f"was ended by signal {-status}" if status < 0 else f"exited with status {status}"
        raise RuntimeError(f"its process {why}{f': {said}' if said else ''}")
    finally:
        _running.pop(topic, None)
        errors.cancel()
        with suppress(ProcessLookupError):
            process.kill()


async def tell_shard(topic: str, message: Mapping[str, Any]) -> bool:
    """Tell the shard of this worker something; return whether there is one."""
    process = _running.get(topic)
    if process is None or process.stdin is None:
        return False
    process.stdin.write(json.dumps(dict(message)).encode() + b"\n")
    return True
