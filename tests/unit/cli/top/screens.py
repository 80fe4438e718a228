"""Runs ``hubbub top`` without a terminal."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable, Static

from hub.cli.remote import Remote
from hub.cli.top.app import Top
from hub.cli.top.model import Model
from hub.cli.top.preferences import Preferences
from tests.support import PATIENCE
from tests.unit.cli.top.hub_double import HubDouble

SIZE = (180, 50)
NOW = 1_700_000_000.0
Steps = Callable[["Screen"], Awaitable[None]]


class Screen:
    """The running program, and what its screen shows."""

    def __init__(self, pilot: Pilot[None], app: Top, hub: HubDouble) -> None:
        self.pilot = pilot
        self.app = app
        self.hub = hub

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def until(self, condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + 10 * PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain for {what}; the screen: {self.text()}"
            await self.pilot.pause(0.01)

    async def shows(self, text: str) -> None:
        await self.until(lambda: text in self.text(), repr(text))

    async def ordered(self, *order: Any) -> None:
        await self.until(lambda: order in self.hub.orders, f"{order} among {self.hub.orders}")

    async def poll(self) -> None:
        """Look at the hub now."""
        self.app.poll()
        await self.app.workers.wait_for_complete()
        await self.pilot.pause()

    def table(self, name: str) -> list[list[str]]:
        found = self.app.screen.query_one(f"#{name}", DataTable)
        return [[str(cell) for cell in found.get_row(row.key)] for row in found.ordered_rows]

    def cursor(self, name: str) -> str:
        found = self.app.screen.query_one(f"#{name}", DataTable)
        return str(found.get_row_at(found.cursor_row)[0])

    def headings(self, name: str) -> str:
        """As they are drawn."""
        found = self.app.screen.query_one(f"#{name}", DataTable)
        return "".join(segment.text for segment in found.render_line(0))

    def drawn(self, name: str, text: str) -> str:
        """The first line of the table, as it is drawn, that has this in it; empty: none."""
        found = self.app.screen.query_one(f"#{name}", DataTable)
        lines = ("".join(segment.text for segment in found.render_line(y)) for y in range(found.size.height))
        return next((line for line in lines if text in line), "")

    def text(self) -> str:
        """All that stands on the screen that is in front, and in its notes."""
        screen = self.app.screen
        parts = [str(widget.render()) for widget in screen.query(Static)]
        parts += [str(cell) for table in screen.query(DataTable) for row in table.rows for cell in table.get_row(row)]
        parts += [note.message for note in self.app._notifications]
        return "\n".join(parts)


def run(hub: HubDouble, preferences: Path, steps: Steps, interval: float = 60.0, size: tuple[int, int] = SIZE) -> None:
    """The steps, once the first status is shown. It polls only when it is told, unless an interval is given."""

    async def whole() -> None:
        model = Model(interval, Preferences(preferences).sorting(), lambda: NOW)
        app = Top(Remote(hub), Remote(hub, lambda _: None), model, interval, Preferences(preferences))
        async with app.run_test(size=size, notifications=True) as pilot:
            screen = Screen(pilot, app, hub)
            await screen.until(lambda: model.status or model.problem, "the first answer")
            await pilot.pause()
            await steps(screen)

    asyncio.run(whole())


@pytest.fixture
def preferences(tmp_path: Path) -> Path:
    return tmp_path / "state" / "top.json"
