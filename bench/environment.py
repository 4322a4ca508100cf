"""The machine and the versions, without anything that names the machine or its user."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from bench.peers.tlsdemo_server import ROOT
from tlsdemo.net.command import CommandFailed, run_command


def processor(cpuinfo: str) -> str:
    """Return the model of the processor, by /proc/cpuinfo."""
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def environment() -> dict[str, Any]:
    """Describe this machine now."""
    return {
        "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "processor": processor(Path("/proc/cpuinfo").read_text(errors="replace")),
        "processors": len(os.sched_getaffinity(0)),
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "commit": _commit(),
        "load before": [round(each, 2) for each in os.getloadavg()],
    }


def _commit() -> str:
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        found = run_command(command, timeout=10)
    except CommandFailed:
        return "unknown"
    return found.output.strip() if found.status == 0 else "unknown"


def sentence(found: Mapping[str, Any]) -> str:
    """Return the environment as a line of text."""
    load = ", ".join(f"{each:.2f}" for each in found["load before"])
    return (
        f"{found['processors']} processors ({found['processor']}), {found['kernel']}, "
        f"Python {found['python']}, commit {found['commit']}, {found['at']}; "
        f"load average before the run {load}"
    )


def versions_lines(versions: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return the versions of the peers' components; peers with the same ones share a line."""
    together: dict[str, list[str]] = {}
    for peer, parts in versions.items():
        text = ", ".join(f"{name} {number}" for name, number in parts.items())
        together.setdefault(text, []).append(peer)
    return [f"{', '.join(peers)}: {text}" for text, peers in together.items()]
