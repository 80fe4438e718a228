"""Consumer screen of ``hubbub top``: its numbers, threads and dead letters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import DataTable, Footer, Static

from hub.cli.queue.listing import described
from hub.cli.top.base_screen import BaseScreen
from hub.cli.top.columns import BAD, BUSY, HELD
from hub.cli.top.letters import GROUP_HEADINGS, Letter, LetterGroup, cell, grouped
from hub.cli.top.letters_screen import LettersScreen, delete, retry
from hub.cli.top.model import Model
from hub.cli.top.ordering import Ordering
from hub.cli.top.tables import fill, selected
from hub.text import printable
from hub.units import format_duration

THREAD_HEADINGS = ("thread", "state", "for", "topic", "message")
TITLE_WIDTH = 15
CANARIES = 1
STYLES = {"stuck": BAD, "dead": BAD, "busy": BUSY, "leaving": HELD}
"""Styles of a thread's states."""


class ConsumerScreen(BaseScreen):
    """Numbers, threads and dead letters of one consumer."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "back", "back"),
        ("k", "stack", "stack"),
        ("r", "retry", "retry"),
        ("c", "canary", "canary"),
        ("x", "delete", "delete"),
    ]

    def __init__(self, model: Model, name: str) -> None:
        super().__init__(model)
        self._queue = name
        self._groups: dict[str, LetterGroup] = {}
        self._dead = 0, 0

    def compose(self) -> ComposeResult:
        """Create the widgets (called by Textual)."""
        yield Static(id="head")
        yield Static(id="facts")
        yield DataTable(id="threads", cursor_type="row")
        yield Static(Text("dead letters, by error", "bold"), classes="title")
        yield DataTable(id="dead", cursor_type="row")
        yield Footer()

    def on_mount(self) -> None:
        """Create the columns (called by Textual)."""
        self._table("threads").add_columns(*THREAD_HEADINGS)
        self._table("dead").add_columns(*GROUP_HEADINGS)
        self.made = True
        self.renew()
        self._load()

    def _table(self, name: str) -> DataTable[Text]:
        table: DataTable[Text] = self.query_one(f"#{name}", DataTable)
        return table

    @property
    def _desk(self) -> Ordering:
        return cast(Ordering, self.app)

    @property
    def consumer(self) -> str | None:
        """The consumer that is shown."""
        return self._queue

    def renew(self) -> None:
        """Update the widgets from the model."""
        row = self.model.row(self._queue)
        head = Text(printable(self._queue), "bold")
        if self.model.problem is not None:
            head = Text("\n").join([head, self.model.head()])
        self.query_one("#head", Static).update(head)
        if row is None:
            self.query_one("#facts", Static).update(Text("this queue no longer exists", "bold red"))
            return
        lines = [
            printable(f"{title + ':':<{TITLE_WIDTH}}{value}") for title, value in described(row, self.model.wall())
        ]
        self.query_one("#facts", Static).update(Text("\n".join(lines)))
        fill(self._table("threads"), [(worker["name"], thread_cells(worker)) for worker in row.get("workers") or []])
        if _dead(row) != self._dead:
            self._load()

    def _load(self) -> None:
        """Fetch the dead letters. There may be many, so this is called only when their counts changed."""
        row = self.model.row(self._queue)
        self._dead = _dead(row) if row is not None else (0, 0)
        self._desk.order(lambda: self._desk.remote.letters(self._queue), self._arrived)

    def _arrived(self, letters: Sequence[Letter]) -> None:
        self._groups = {group.key: group for group in grouped(letters)}
        rows = [(key, group.cells()) for key, group in self._groups.items()]
        self.draw(lambda: fill(self._table("dead"), rows))

    def action_back(self) -> None:
        """Go back to the overview."""
        self.dismiss()

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Show the stack of a thread, or the dead letters of a group (Enter)."""
        if event.data_table.id == "threads":
            self.action_stack()
        elif (group := self._groups.get(str(event.row_key.value))) is not None:
            self._desk.push_screen(LettersScreen(self.model, self._queue, group, self._load))

    def action_stack(self) -> None:
        """Show the stack of the thread under the cursor."""
        if (thread := selected(self._table("threads"))) is not None:
            self._desk.order(
                lambda: self._desk.remote.threads(self._queue), lambda workers: self._show_stack(thread, workers)
            )

    def _show_stack(self, thread: str, workers: Sequence[dict[str, Any]]) -> None:
        stacks = [
            worker.get("stack") or "no stack: the thread is not running"
            for worker in workers
            if worker["name"] == thread
        ]
        self._desk.show(thread, stacks[0] if stacks else "this thread no longer exists")

    def _group(self) -> LetterGroup | None:
        return self._groups.get(selected(self._table("dead")) or "")

    def action_retry(self) -> None:
        """Retry the group under the cursor."""
        if (group := self._group()) is not None:
            retry(self._desk, self._queue, group.numbers, None, self._load)

    def action_canary(self) -> None:
        """Retry the group under the cursor, one dead letter first."""
        if (group := self._group()) is not None:
            retry(self._desk, self._queue, group.numbers, CANARIES, self._load)

    def action_delete(self) -> None:
        """Delete the group under the cursor."""
        if (group := self._group()) is not None:
            delete(self._desk, self._queue, group.numbers, self._load)


def _dead(row: Mapping[str, Any]) -> tuple[int, int]:
    """Counts of dead letters: all ever buried, and those present."""
    return row["dead"], row["dead_letters"]


def thread_cells(worker: dict[str, Any]) -> list[Text]:
    """The cells of a thread's row."""
    seconds = "" if worker["seconds"] is None else format_duration(worker["seconds"])
    style = STYLES.get(worker["state"], "")
    texts = (worker["name"], worker["state"], seconds, worker["topic"] or "", worker["message_id"] or "")
    cells = [cell(text) for text in texts]
    cells[1].stylize(style)
    return cells
