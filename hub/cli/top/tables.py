"""Table updates that keep the cursor on its row."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.widgets import DataTable

Rows = Sequence[tuple[str, Sequence[Text]]]
"""A key and cells for each row."""


def fill(table: DataTable[Text], rows: Rows, before: str | None = None) -> None:
    """Show these rows in this order. The cursor stays on its row, because keys act on that row.

    :param before: key of the row that had the cursor before the table was emptied.
    """
    key, index = selected(table) or before, table.cursor_row
    wanted = {name for name, _ in rows}
    present = {str(row.value) for row in table.rows}
    for gone in present - wanted:
        table.remove_row(gone)
    for name, cells in rows:
        if name in present:
            _update(table, name, cells)
        else:
            table.add_row(*cells, key=name)
    _order(table, [name for name, _ in rows])
    if key in wanted and (now := table.get_row_index(key)) != table.cursor_row:
        table.move_cursor(row=now, scroll=now != index)


def selected(table: DataTable[Text]) -> str | None:
    """The key of the row that the cursor is on."""
    if not table.row_count:
        return None
    return table.coordinate_to_cell_key(table.cursor_coordinate).row_key.value


def _update(table: DataTable[Text], name: str, cells: Sequence[Text]) -> None:
    for column, cell in zip(list(table.columns), cells, strict=True):
        if table.get_cell(name, column) != cell:
            table.update_cell(name, column, cell, update_width=True)


def _order(table: DataTable[Text], names: Sequence[str]) -> None:
    if [row.key.value for row in table.ordered_rows] == list(names):
        return
    first = next(iter(table.columns))
    # DataTable sorts by cells only; the identity of the first cell tells the row.
    places = {id(table.get_cell(name, first)): place for place, name in enumerate(names)}
    table.sort(first, key=lambda cell: places[id(cell)])
