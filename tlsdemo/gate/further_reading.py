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


def read_on(change: Change, here: Mapping[str, str], there: Mapping[str, str]) -> str:
    """Return where to read on: the finding, and the news of what differs between the versions."""
    found = [change.what] if change.part == "findings" else []
    if change.cells:
        found += [
            name for text, name in _FINDINGS.items() if all(text in each for each in change.cells)
        ]
    commands = [f"tlsdemo findings {name}" for name in dict.fromkeys(found)]
    news = [_NEWS[name] for name in _NEWS if here.get(name) != there.get(name)]
    return ", ".join([*commands[:1], *news]) or "the two sources: the versions are the same"
