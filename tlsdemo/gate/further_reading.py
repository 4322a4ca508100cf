"""Where to read on about a change."""

from __future__ import annotations

from collections.abc import Mapping

from tlsdemo.gate.changes import Change

_FINDINGS = {
    "ALPN only offered": "alpn-kills-handshake",
    "no ALPN in common": "alpn-kills-handshake",
    "wrong name": "handshake-completed-though-wrong-name",
    "server of at most": "maximum-version-excluded",
    "injection behind the request": "starttls-injection",
    "hello in the segment of the request": "swallowed-client-hello",
    "close_notify never answered": "lose-connection-never-ends",
}
"""The finding that explains what happens in connections whose name contains this."""

_NEWS = {
    "Python": "https://docs.python.org/3/whatsnew/",
    "Twisted": "https://github.com/twisted/twisted/blob/trunk/NEWS.rst",
    "pyOpenSSL": "https://www.pyopenssl.org/en/latest/changelog.html",
    "cryptography": "https://cryptography.io/en/latest/changelog/",
    "OpenSSL": "https://github.com/openssl/openssl/blob/master/CHANGES.md",
}


def finding_of(change: Change) -> str:
    """Return the finding that a change is about, or that explains all connections with it."""
    if change.part == "findings":
        return change.what
    for text, name in _FINDINGS.items():
        if change.cells and all(text in each for each in change.cells):
            return name
    return ""


def read_on(change: Change, here: Mapping[str, str], there: Mapping[str, str]) -> str:
    """Return where to read on: the finding, and the news of what differs between the versions."""
    finding = finding_of(change)
    found = [f"tlsdemo findings {finding}"] if finding else []
    news = [_NEWS[name] for name in _NEWS if here.get(name) != there.get(name)]
    return ", ".join([*found, *news]) or "the two sources: the versions are the same"
