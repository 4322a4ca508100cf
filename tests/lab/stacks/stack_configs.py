"""Configurations of stacks, with the demo certificates."""

from __future__ import annotations

from tests.support import certificates
from tlsdemo.lab.stacks.stack_config import Auth, Script, StackConfig


def config(**changes: object) -> StackConfig:
    demo = certificates()
    fields = {
        "certificate": str(demo.server.certificate),
        "key": str(demo.server.key),
        "authority": str(demo.authority),
        "alpn": ("http/1.1",),
        "timeout": 5.0,
        **changes,
    }
    return StackConfig(**fields)  # type: ignore[arg-type]


def requiring_a_certificate() -> StackConfig:
    return config(client_auth=Auth.REQUIRED)


def server_writes_first() -> StackConfig:
    return config(script=Script.SERVER_FIRST)


def server_closes() -> StackConfig:
    return config(script=Script.SERVER_CLOSES)
