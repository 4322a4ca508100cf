"""Makes an image of a text, such as a sequence diagram; ``text_image.py TEXT SVG TITLE``."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text


def main(source: str, target: str, title: str) -> None:
    """Write the image."""
    text = Path(source).read_text(encoding="utf-8")
    width = max(map(len, text.splitlines()))
    console = Console(record=True, width=width, file=io.StringIO())
    console.print(Text(text), soft_wrap=True)
    # The name of each element begins with this, and would change with the contents.
    image = console.export_svg(title=title, unique_id="text")
    # Nothing is fetched: any monospaced font will do.
    image = re.sub(r"@font-face \{.*?\}\s*", "", image, flags=re.DOTALL)
    Path(target).write_text(image, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
