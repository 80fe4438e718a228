"""Overview screen of ``hubbub top``: the hub, and a row for each consumer, with the columns that fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.console import JustifyMethod
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.widgets import DataTable, Footer, Static

from hub.cli.top.base_screen import BaseScreen
from hub.cli.top.columns import COLUMNS, Column, Line, Sorting, fitting
from hub.cli.top.model import Model
from hub.cli.top.tables import fill, selected


class Overview(BaseScreen):
    """The hub and the table of consumers."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("s", "sort", "sort"),
        ("S", "reverse", "reverse"),
    ]

    class Sorted(Message):
        """Message: the sorting was changed."""

    class Chosen(Message):
        """Message: a consumer was chosen."""

        def __init__(self, consumer: str) -> None:
            super().__init__()
            self.consumer = consumer

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self._columns: list[Column] = []
        self._widths: dict[str, int] = {}

    def compose(self) -> ComposeResult:
        """Create the widgets (called by Textual)."""
        yield Static(id="head")
        yield DataTable(id="consumers", cursor_type="row", fixed_columns=1)
        yield Footer()

    def on_mount(self) -> None:
        """Show the model (called by Textual)."""
        self.made = True
        self.renew()

    def on_resize(self) -> None:
        """Choose the columns for a new width (called by Textual)."""
        self._widths.clear()
        self.draw(self.renew)

    @property
    def _table(self) -> DataTable[Text]:
        table: DataTable[Text] = self.query_one("#consumers", DataTable)
        return table

    @property
    def consumer(self) -> str | None:
        """The consumer under the cursor."""
        return selected(self._table)

    def _label(self, column: Column) -> Text:
        """The heading, as wide with the arrow as without."""
        heading, width = self.model.sorting.heading(column), len(column.heading) + 2
        return Text(heading.rjust(width) if column.right else heading.ljust(width), justify=_justify(column))

    def renew(self) -> None:
        """Update the widgets from the model."""
        table = self._table
        self.query_one("#head", Static).update(self.model.head())
        table.set_class(self.model.problem is not None, "old")
        lines, before = self.model.lines(), self.consumer
        self._choose(lines)
        for column in self._columns:
            label = self._label(column)
            if table.columns[column.key].label != label:  # type: ignore[index]
                table.columns[column.key].label = label  # type: ignore[index]
                table.notify_style_update()  # Textual does not redraw a heading when its text changes
        rows = []
        for line in lines:
            cells = [column.cell(line) for column in self._columns]
            for column, cell in zip(self._columns, cells, strict=True):
                cell.justify = _justify(column)
            rows.append((line.name, cells))
        fill(table, rows, before)

    def _choose(self, lines: Sequence[Line]) -> None:
        """Choose the columns by the widest cells since the last resize, so that a number moves no column."""
        table = self._table
        for column in COLUMNS:
            cells = (column.cell(line).cell_len for line in lines)
            widest = max(self._label(column).cell_len, *cells, 0) + 2 * table.cell_padding
            self._widths[column.key] = max(self._widths.get(column.key, 0), widest)
        room = self.size.width - table.scrollbar_size_vertical
        shown = fitting(COLUMNS, self._widths, room, self.model.sorting.key)
        if shown != self._columns:
            self._columns = shown
            table.clear(columns=True)
            for column in shown:
                table.add_column(self._label(column), key=column.key)

    def action_sort(self) -> None:
        """Sort by the next column."""
        self._sort(self.model.sorting.next())

    def action_reverse(self) -> None:
        """Reverse the sorting."""
        self._sort(self.model.sorting.chosen(self.model.sorting.key))

    def on_data_table_header_selected(self, event: DataTable.HeaderSelected) -> None:
        """Sort by the column that was clicked."""
        self._sort(self.model.sorting.chosen(str(event.column_key.value)))

    def _sort(self, sorting: Sorting) -> None:
        self.model.sorting = sorting
        self.renew()
        self.post_message(self.Sorted())

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Choose the consumer (Enter, or a second click)."""
        self.post_message(self.Chosen(str(event.row_key.value)))


def _justify(column: Column) -> JustifyMethod:
    return "right" if column.right else "left"
