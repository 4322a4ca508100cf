"""Where to read on about a change."""

from __future__ import annotations

from collections.abc import Mapping

from tlsdemo.gate.changes import Change

_FINDINGS = {
    "alpn-kills-handshake": ("ALPN only offered", "no ALPN in common"),
    "handshake-completed-though-wrong-name": ("wrong name",),
    "maximum-version-excluded": ("server of at most",),
    "starttls-injection": ("injection behind the request",),
    "swallowed-client-hello": ("hello in the segment of the request",),
    "lose-connection-never-ends": ("close_notify never answered",),
}
"""What is in the names of the connections whose events each finding explains."""

_CONCERNS = {
    "alpn-kills-handshake": ("internal error", "internal_error", "connectionlost error"),
    "handshake-completed-though-wrong-name": ("handshakecompleted", "secure"),
}
"""The events that a finding is about, in lower case, where others may differ there as well."""

NEWS = {
    "Python": "https://docs.python.org/3/whatsnew/",
    "Twisted": "https://github.com/twisted/twisted/blob/trunk/NEWS.rst",
    "pyOpenSSL": "https://www.pyopenssl.org/en/latest/changelog.html",
    "cryptography": "https://cryptography.io/en/latest/changelog/",
    "OpenSSL": "https://github.com/openssl/openssl/blob/master/CHANGES.md",
}
"""Where the news of each is, by its name in `tlsdemo.tls.versions`."""


def finding_of(change: Change) -> str:
    """Return the finding that a change is about, or that explains all connections with it."""
    if change.part == "findings":
        return change.what
    events = f"{change.baseline} {change.candidate}".lower()
    for name, texts in _FINDINGS.items():
        explained = [any(text in cell for text in texts) for cell in change.cells]
        concerned = any(event in events for event in _CONCERNS.get(name, ("",)))
        if explained and all(explained) and concerned:
            return name
    return ""


def read_on(change: Change, here: Mapping[str, str], there: Mapping[str, str]) -> str:
    """Return where to read on: the finding, and the news of what differs between the versions."""
    finding = finding_of(change)
    found = [f"tlsdemo findings {finding}"] if finding else []
    news = [NEWS[name] for name in NEWS if here.get(name) != there.get(name)]
    return ", ".join([*found, *news]) or "the two sources: the versions are the same"
