"""The keys of ``hubbub top`` that do something to a consumer, or to the hub."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import click
from textual.app import App

from hub.cli.moment import clock_time, later
from hub.cli.remote import Remote
from hub.cli.top.ask import Ask, Show
from hub.cli.top.model import Model
from hub.cli.top.watching import Watching
from hub.errors import HubError
from hub.stats.condition import held, words
from hub.text import counted, printable

MOST_THREADS = 256
MOST_READ, MOST_TOLD = 100_000, 1000
"""Characters of a text to be read, and of a note: a body of megabytes would keep the screen from being drawn."""
Answer = TypeVar("Answer")


class Ordering(App[None]):
    """See the module. Orders are carried out in threads of their own, one after the other: no key waits for the hub.

    :param remote: the hub; it may take its time.
    """

    def __init__(self, remote: Remote, model: Model) -> None:
        super().__init__()
        self.remote = remote
        self.model = model
        self._lane = ThreadPoolExecutor(1, "orders")
        self._aside = ThreadPoolExecutor(4, "long-orders")

    def poll(self) -> None:
        """Ask for the status now."""
        raise NotImplementedError

    def order(
        self,
        work: Callable[[], Answer],
        said: Callable[[Answer], str | None],
        then: Callable[[], None] | None = None,
        aside: bool = False,
    ) -> None:
        """Carry it out, then tell what came of it.

        :param then: what to do then, also if it did not work: it may have been done in part.
        :param aside: it takes long: the orders that follow do not wait for it.
        """
        self.run_worker(self._carry_out(self._aside if aside else self._lane, work, said, then), group="orders")

    async def _carry_out(
        self,
        lane: ThreadPoolExecutor,
        work: Callable[[], Answer],
        said: Callable[[Answer], str | None],
        then: Callable[[], None] | None,
    ) -> None:
        try:
            answer = await asyncio.get_running_loop().run_in_executor(lane, work)
        except HubError as error:
            self.tell(str(error), bad=True)
        else:
            if (text := said(answer)) is not None:
                self.tell(text)
        if then is not None:
            then()
        self.poll()

    def tell(self, text: str, bad: bool = False) -> None:
        """Something happened; whatever the text is."""
        lines = "\n".join(printable(line) for line in text[:MOST_TOLD].splitlines())
        self.notify(lines, severity="error" if bad else "information", markup=False)

    def confirm(self, question: str, work: Callable[[str], None], field: str | None = None) -> None:
        """Ask, and do it if the answer is yes. :param field: what may be typed."""
        self.push_screen(Ask(printable(question), field), lambda answer: None if answer is None else work(answer))

    def _selected(self) -> tuple[str, dict[str, Any]] | None:
        name = self.screen.consumer if isinstance(self.screen, Watching) else None
        row = None if name is None else self.model.row(name)
        return None if name is None or row is None else (name, row)

    def action_pause(self) -> None:
        """Pause, or undo that."""
        if (found := self._selected()) is None:
            return
        name, row = found
        if held(row):
            self._resume(name, words(row))
        else:
            question = f"Pause {name}? Its queue fills meanwhile."
            self.confirm(question, lambda typed: self._pause(name, typed), "until: 1h, 14:30; empty: until resumed")

    def _pause(self, name: str, typed: str) -> None:
        now = self.model.wall()
        try:
            until = later(typed, now) if typed else None
        except click.UsageError as error:
            self.tell(error.message, bad=True)
            return
        when = "" if until is None else f" until {clock_time(until, now)}"
        self.order(lambda: self.remote.pause(name, until), lambda _: f"{name} is paused{when}")

    def _resume(self, name: str, state: str) -> None:
        def resume(_: str) -> None:
            self.order(lambda: self.remote.resume(name), lambda _: f"{name} goes on")

        self.confirm(f"{name} is {state}. Let it go on?", resume)

    def action_drain(self) -> None:
        """Drain, or undo that."""
        if (found := self._selected()) is None:
            return
        name, row = found

        def drain(_: str) -> None:
            self.order(lambda: self.remote.drain(name), lambda _: f"{name} drains")

        if held(row):  # one that is paused can't be drained
            self._resume(name, words(row))
        else:
            self.confirm(f"Drain {name}? Until it is resumed, what would be its own is dropped, and counted.", drain)

    def action_purge(self) -> None:
        """Drop what waits."""
        if (found := self._selected()) is None:
            return
        name, row = found
        count = max(0, row["backlog"] - row["in_flight"] - row["delayed"])

        def purge(_: str) -> None:
            self.order(lambda: self.remote.purge(name), lambda answer: f"{answer['purged']} dropped")

        stays = "What is in hand, or waits for a retry, stays."
        self.confirm(f"Drop the {counted(count, 'message')} that wait{'s' * (count == 1)} for {name}? {stays}", purge)

    def action_threads(self, more: int) -> None:
        """So many threads more."""
        if (found := self._selected()) is None:
            return
        name, row = found
        count = min(MOST_THREADS, max(1, row["threads"] + more))
        row["threads"] = count  # of the status that is shown, so that the key may be pressed again at once
        self.order(lambda: self.remote.set_threads(name, count), lambda _: f"{name}: {counted(count, 'thread')}")

    def action_reload(self) -> None:
        """Have the hub read its configuration again."""
        self.order(self.remote.reload, lambda changes: "\n".join(changes or ["nothing differs"]))

    def show(self, title: str, text: str) -> None:
        """Something to read, of many lines."""
        lines = [printable(line) for line in text[:MOST_READ].splitlines()]
        if len(text) > MOST_READ:
            lines.append(f"... and {len(text) - MOST_READ} characters more")
        self.push_screen(Show(printable(title), lines))
