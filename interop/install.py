"""Install the foreign peers that are missing: ``python -m interop.install``.

It uses apt-get, as root or by ``sudo -n``, and npm, which writes to interop/node_modules. The
tests start their own servers, so while apt-get runs, /usr/sbin/policy-rc.d forbids the packages to
start theirs (see invoke-rc.d(8)), unless that file exists already. Each command is printed; what
cannot be installed is named at the end, and the tests that need it are skipped.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

from interop.catalogue import NODE_MODULES, PEERS, find_program

_POLICY = Path("/usr/sbin/policy-rc.d")
_FORBID = f"printf '#!/bin/sh\\nexit 101\\n' >{_POLICY} && chmod 755 {_POLICY}"


def missing() -> tuple[list[str], list[str]]:
    """Return the packages of Debian and of npm that are not installed."""
    debian = {name for peer in PEERS.values() for name in peer.debian.split()}
    npm = {peer.npm for peer in PEERS.values() if peer.npm}
    there = {name for name in npm if (NODE_MODULES / name).is_dir()}
    return sorted(debian - _installed(debian)), sorted(npm - there)


def _installed(packages: set[str]) -> set[str]:
    """Return those of ``packages`` that are installed, or whose program is."""
    lines = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\\n", *packages],
        check=False, capture_output=True, text=True,
    ).stdout.splitlines()  # fmt: skip
    there = {line.split()[0] for line in lines if line.endswith(" installed")}
    return there | {name for name in packages if find_program(name)}


def _run(*command: str) -> bool:
    print("+", shlex.join(command), flush=True)
    return subprocess.run(command, check=False, stdin=subprocess.DEVNULL).returncode == 0


def _as_root() -> list[str] | None:
    """Return the beginning of a command that runs as root, or None."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    return [sudo, "-n"] if sudo and _run(sudo, "-n", "true") else None


def _apt_get(packages: list[str]) -> str:
    """Install them; return why those that are still missing then are."""
    as_root = _as_root()
    if as_root is None:
        return "apt-get needs root, or sudo without a password"
    apt_get = [*as_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    forbid = not _POLICY.exists()
    if forbid:
        _run(*as_root, "sh", "-c", _FORBID)
    try:
        _run(*apt_get, "update")
        install = (*apt_get, "install", "-y", "--no-install-recommends")
        # One package that this release does not have would keep back all.
        if not _run(*install, *packages):
            for package in packages:
                _run(*install, package)
    finally:
        if forbid:
            _run(*as_root, "rm", "-f", str(_POLICY))
    return "apt-get cannot install it"


def _npm() -> str:
    npm = find_program("npm")
    if npm is None:
        return "there is no npm"
    options = ("--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts")
    _run(npm, "install", "--prefix", str(NODE_MODULES.parent), *options)
    return "npm cannot install it"


def install() -> None:
    """Install what is missing; print what still is, and why."""
    if shutil.which("apt-get") is None:
        print("There is no apt-get here. Tests that are skipped say what they need.")
        return
    debian, npm = missing()
    if not debian and not npm:
        print("All peers are installed.")
    why_not_debian = _apt_get(debian) if debian else ""
    _, npm = missing()
    why_not_npm = _npm() if npm else ""
    for packages, why in zip(missing(), (why_not_debian, why_not_npm), strict=True):
        if packages:
            print(f"not installed: {' '.join(packages)}: {why}")


if __name__ == "__main__":
    install()
