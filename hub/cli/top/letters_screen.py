"""Dead letters screen of ``hubbub top``: the letters of one error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import DataTable, Footer, Static

from hub.cli.output import retried
from hub.cli.top.base_screen import BaseScreen
from hub.cli.top.letters import LETTER_HEADINGS, LONGEST, Letter, LetterGroup, grouped, letter_cells, whole
from hub.cli.top.model import Model
from hub.cli.top.ordering import Ordering
from hub.cli.top.tables import fill, selected
from hub.text import counted, printable

MOST_SHOWN = 1000
"""Most letters in the table, because a larger one is slow to draw."""


def retry(desk: Ordering, name: str, numbers: Sequence[int], canary: int | None, then: Callable[[], None]) -> None:
    """Ask, then retry dead letters. :param canary: number of letters to try first; ``None``: all at once."""

    def work(_: str) -> None:
        desk.order(lambda: desk.remote.retry(name, numbers, canary), retried, then, slow=True)

    first = f", {canary} first and the others if it is finished" if canary else ""
    desk.confirm(f"Give {counted(len(numbers), 'dead letter')} to {name} again{first}?", work)


def delete(desk: Ordering, name: str, numbers: Sequence[int], then: Callable[[], None]) -> None:
    """Ask, then delete dead letters."""

    def work(_: str) -> None:
        desk.order(lambda: desk.remote.delete_letters(name, numbers), lambda count: f"{count} deleted", then)

    desk.confirm(f"Delete {counted(len(numbers), 'dead letter')} of {name}? This can't be undone.", work)


class LettersScreen(BaseScreen):
    """The dead letters of one group. :param then: called when they changed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "back", "back"),
        ("r", "retry", "retry"),
        ("x", "delete", "delete"),
    ]

    def __init__(self, model: Model, name: str, group: LetterGroup, then: Callable[[], None]) -> None:
        super().__init__(model)
        self._queue = name
        self._group = group
        self._letters: dict[str, Letter] = {}
        self._then = then

    def compose(self) -> ComposeResult:
        """Create the widgets (called by Textual)."""
        yield Static(id="head")
        yield DataTable(id="letters", cursor_type="row")
        yield Footer()

    def on_mount(self) -> None:
        """Fill the table (called by Textual)."""
        self._table.add_columns(*LETTER_HEADINGS)
        self.made = True
        self._fill(self._group.letters)

    @property
    def consumer(self) -> str | None:
        """The consumer of the dead letters."""
        return self._queue

    @property
    def _table(self) -> DataTable[Text]:
        table: DataTable[Text] = self.query_one("#letters", DataTable)
        return table

    @property
    def _desk(self) -> Ordering:
        return cast(Ordering, self.app)

    def _fill(self, letters: Sequence[Letter]) -> None:
        self._letters = {str(letter["number"]): letter for letter in letters[:MOST_SHOWN]}
        shown = f", the first {MOST_SHOWN} of {len(letters)}" if len(letters) > MOST_SHOWN else ""
        title = f"{self._queue}: {self._group.error}: {self._group.reason[:LONGEST]}{shown}"
        self.query_one("#head", Static).update(Text(printable(title), "bold"))
        fill(self._table, [(key, letter_cells(letter)) for key, letter in self._letters.items()])

    def _changed(self) -> None:
        self._then()
        self._desk.order(lambda: self._desk.remote.letters(self._queue), self._arrived)

    def _arrived(self, letters: Sequence[Letter]) -> None:
        same = [group.letters for group in grouped(letters) if group.key == self._group.key]
        self.draw(lambda: self._fill(same[0] if same else []))

    def action_back(self) -> None:
        """Go back to the consumer."""
        self.dismiss()

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Show the whole dead letter (Enter)."""
        letter = self._letters[str(event.row_key.value)]
        self._desk.show(f"{self._queue}: dead letter {letter['number']}", "\n".join(whole(letter)))

    def action_retry(self) -> None:
        """Retry the dead letter under the cursor."""
        if (key := selected(self._table)) is not None:
            retry(self._desk, self._queue, [int(key)], None, self._changed)

    def action_delete(self) -> None:
        """Delete the dead letter under the cursor."""
        if (key := selected(self._table)) is not None:
            delete(self._desk, self._queue, [int(key)], self._changed)
