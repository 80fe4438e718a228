"""Orders of ``hubbub top``: the keys that change a consumer or the hub."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import click
from textual.app import App

from hub.cli.remote import Remote
from hub.cli.times import clock_time, later
from hub.cli.top.base_screen import BaseScreen
from hub.cli.top.dialogs import Question, TextWindow
from hub.cli.top.model import Model
from hub.errors import HubError
from hub.stats.reading import held, words
from hub.text import counted, printable

MOST_THREADS = 256
MOST_READ, MOST_TOLD = 100_000, 1000
"""Most characters in a text window, and in a note: drawing a body of megabytes would block the screen."""
Answer = TypeVar("Answer")


class Ordering(App[None]):
    """Base of the application: a separate thread sends orders to the hub, one after the other, so that no key blocks.

    :param remote: client for orders; it may answer slowly.
    """

    def __init__(self, remote: Remote, model: Model) -> None:
        super().__init__()
        self.remote = remote
        self.model = model
        self._lane = ThreadPoolExecutor(1, "orders")
        self._slow_lane = ThreadPoolExecutor(4, "long-orders")

    def poll(self) -> None:
        """Request the hub's status."""
        raise NotImplementedError

    def order(
        self,
        work: Callable[[], Answer],
        said: Callable[[Answer], str | None],
        then: Callable[[], None] | None = None,
        slow: bool = False,
    ) -> None:
        """Run an order in the thread, then show its outcome.

        :param said: returns the text of the outcome; ``None``: show nothing.
        :param then: called at the end, also after a failure, since the order may have been carried out in part.
        :param slow: run it beside the other orders, which then do not wait for it.
        """
        self.run_worker(self._carry_out(self._slow_lane if slow else self._lane, work, said, then), group="orders")

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
        """Show a notification. :param text: any text; it is made printable."""
        lines = "\n".join(printable(line) for line in text[:MOST_TOLD].splitlines())
        self.notify(lines, severity="error" if bad else "information", markup=False)

    def confirm(self, question: str, work: Callable[[str], None], field: str | None = None) -> None:
        """Ask a question, and run ``work`` if the answer is yes. :param field: hint of an input field."""
        self.push_screen(Question(printable(question), field), lambda answer: None if answer is None else work(answer))

    def _selected(self) -> tuple[str, dict[str, Any]] | None:
        name = self.screen.consumer if isinstance(self.screen, BaseScreen) else None
        row = None if name is None else self.model.row(name)
        return None if name is None or row is None else (name, row)

    def action_pause(self) -> None:
        """Pause the selected consumer, or resume it."""
        if (found := self._selected()) is None:
            return
        name, row = found
        if held(row):
            self._resume(name, words(row))
        else:
            question = f"Pause {name}? Its queue continues to fill."
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
            self.order(lambda: self.remote.resume(name), lambda _: f"{name} is resumed")

        self.confirm(f"{name} is {state}. Resume it?", resume)

    def action_drain(self) -> None:
        """Drain the selected consumer, or resume it."""
        if (found := self._selected()) is None:
            return
        name, row = found

        def drain(_: str) -> None:
            self.order(lambda: self.remote.drain(name), lambda _: f"{name} is draining")

        if held(row):  # a paused consumer can't be drained
            self._resume(name, words(row))
        else:
            self.confirm(f"Drain {name}? New messages for it are dropped and counted until it is resumed.", drain)

    def action_purge(self) -> None:
        """Purge the queue of the selected consumer."""
        if (found := self._selected()) is None:
            return
        name, row = found
        count = max(0, row["backlog"] - row["in_flight"] - row["delayed"])

        def purge(_: str) -> None:
            self.order(lambda: self.remote.purge(name), lambda answer: f"{answer['purged']} dropped")

        stays = "Messages in flight, or waiting for a retry, stay."
        self.confirm(f"Drop the {counted(count, 'message')} that wait{'s' * (count == 1)} for {name}? {stays}", purge)

    def action_threads(self, more: int) -> None:
        """Change the number of threads. :param more: threads to add; negative: to end."""
        if (found := self._selected()) is None:
            return
        name, row = found
        count = min(MOST_THREADS, max(1, row["threads"] + more))
        row["threads"] = count  # changes the shown status, so that the key can be pressed again at once
        self.order(lambda: self.remote.set_threads(name, count), lambda _: f"{name}: {counted(count, 'thread')}")

    def action_reload(self) -> None:
        """Reload the configuration of the hub."""
        self.order(self.remote.reload, lambda changes: "\n".join(changes or ["no changes"]))

    def show(self, title: str, text: str) -> None:
        """Show a text of many lines in a window."""
        lines = [printable(line) for line in text[:MOST_READ].splitlines()]
        if len(text) > MOST_READ:
            lines.append(f"... and {len(text) - MOST_READ} characters more")
        self.push_screen(TextWindow(printable(title), lines))
