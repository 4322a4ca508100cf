"""The frame of an HTML page."""

from __future__ import annotations

from html import escape

from tlsdemo.printable import printable


def html_text(text: str) -> str:
    """Return ``text`` for HTML, in an element or an attribute, with nothing unprintable in it."""
    return escape(printable(text))


def html_page(title: str, style: str, body: str) -> str:
    """Return a page with ``title`` (plain text), ``style`` (CSS) and ``body`` (HTML)."""
    return linked_page(title, f"<style>\n{style}</style>\n", body)


def linked_page(title: str, head: str, body: str) -> str:
    """Return a page with ``title`` (plain text), ``body`` and more of its ``head`` (HTML)."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{html_text(title)}</title>\n{head}</head>\n"
        f"<body>\n{body}</body>\n</html>\n"
    )
