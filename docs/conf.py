"""Sphinx's settings for this folder; ``make site`` builds it, and takes warnings for errors."""

from __future__ import annotations

from tlsdemo import __version__

project = "tlsdemo"
author = "The tlsdemo authors"
version = release = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinxcontrib.mermaid",
]
source_suffix = {".md": "markdown"}

myst_heading_anchors = 4
myst_fence_as_directive = ["mermaid"]
# Links to files that are not in docs/; tests/test_docs.py checks every link.
suppress_warnings = ["myst.xref_missing"]
myst_enable_extensions = ["colon_fence", "fieldlist"]

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_default_options = {"members": True, "show-inheritance": True}
napoleon_use_ivar = True

html_theme = "furo"
html_title = f"tlsdemo {release}"
html_static_path: list[str] = []
