"""The options of a server for its pages: metrics, health, and the live page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from twisted.internet.interfaces import IReactorCore
from twisted.python import usage

from tlsdemo.cli.endpoint_strings import check_server_endpoint
from tlsdemo.cli.loopback import is_loopback
from tlsdemo.cli.option_groups import Group
from tlsdemo.cli.options import fail
from tlsdemo.proxy.listening import PROXY_PREFIX
from tlsdemo.tls import Mode

if TYPE_CHECKING:
    from tlsdemo.web.page_watches import PageWatches
    from tlsdemo.web.web_pages import WebPages

SHORTEST_TOKEN = 16
"""Characters that a token has to have at least."""

WEB_PARAMETERS: list[list[Any]] = [
    ["web", None, None, "Server endpoint string of the web pages, such as "
     "tcp:8080:interface=127.0.0.1: a live page (/), metrics for Prometheus (/metrics) and health "
     "(/healthz, /readyz). [default: none]"],
    ["web-token", None, None, "File whose first line is the token that the web pages ask for, as "
     f"a password or as a bearer token: at least {SHORTEST_TOKEN} characters. Required unless "
     "--web is on a loopback interface or a UNIX socket."],
]  # fmt: skip


def missing_extra(problem: ImportError) -> str:
    """Return what to say if the packages for --web are not installed."""
    return (
        f"--web needs a package that is not installed ({problem}); install it with "
        "pip install 'tlsdemo[web]'"
    )


class WebOptions(usage.Options):
    """A mixin for the options of a server."""

    command: ClassVar[str]

    groups: ClassVar[Mapping[Group, str]] = {Group.LOGGING: "web web-token"}

    def check_web(self, reactor: IReactorCore) -> None:
        """Raise UsageError if the options do not go together."""
        where, token = self["web"], self["web-token"]
        if where is None:
            if token is not None:
                raise usage.UsageError("--web-token is only for --web, which is not given")
            return
        if where.startswith(PROXY_PREFIX):
            raise usage.UsageError(
                f"--web is {where!r}, and it takes no header of the PROXY protocol; leave "
                f"{PROXY_PREFIX} away"
            )
        check_server_endpoint(reactor, "web", where)
        if token is None and not is_loopback(where):
            raise usage.UsageError(
                f"--web is {where!r}, which others can reach; add interface=127.0.0.1, or give "
                "a file with a token that they have to know, with --web-token"
            )

    def web_pages(self, mode: Mode) -> WebPages | None:
        """Make the pages; ends the process with one line if that is not possible."""
        if self["web"] is None:
            return None
        token = self._token()
        try:
            from tlsdemo.web.web_pages import WebPages
        except ImportError as problem:
            fail(self.command, missing_extra(problem))
        return WebPages(self["web"], token, mode)

    def page_watches(self, mode: Mode) -> PageWatches | None:
        """Make what observes the connections of a worker for the pages of its parent."""
        if self["web"] is None:
            return None
        from tlsdemo.web.page_watches import PageWatches

        return PageWatches(mode)

    def _token(self) -> str | None:
        path = self["web-token"]
        if path is None:
            return None
        try:
            token = Path(path).read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
        except (OSError, UnicodeDecodeError) as problem:
            reason = getattr(problem, "strerror", None) or "it is not text"
            fail(self.command, f"--web-token is {path!r}: {reason}")
        if len(token) < SHORTEST_TOKEN:
            fail(
                self.command,
                f"--web-token is {path!r}, whose first line has {len(token)} characters; use at "
                f"least {SHORTEST_TOKEN}, such as those of: openssl rand -hex 16",
            )
        return token
