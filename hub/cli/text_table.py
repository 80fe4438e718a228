"""Tables without lines, as the commands print them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from hub.text import printable


class TextTable(Table):
    """A table of texts, which may come from elsewhere. :param left: headings of its first columns; ``right``: those of
    the others, which are aligned to the right."""

    def __init__(self, left: Sequence[str], right: Sequence[str] = ()) -> None:
        super().__init__(box=None, header_style="bold", padding=(0, 1))
        for heading in left:
            self.add_column(heading)
        for heading in right:
            self.add_column(heading, justify="right")

    def add_texts(self, texts: Sequence[str], style: str = "") -> None:
        """Add a row."""
        self.add_row(*(Text(printable(text), style) for text in texts))
