"""The table of consumers in ``hubbub top``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.top.hub_double import HubDouble, row, status
from tests.unit.cli.top.screens import Screen, preferences, run

__all__ = ["preferences"]


def test_each_consumer_has_its_row_with_its_numbers(preferences: Path) -> None:
    async def steps(screen: Screen) -> None:
        (cells,) = screen.table("consumers")
        assert [cell.strip() for cell in cells[:7]] == ["slow", "running", "545", "█", "1", "0", "12s"]
        assert cells[7:9] == ["20.0", "10.0"]
        assert cells[9].startswith("in 1m, ")
        assert cells[10:] == ["75%", "250ms", "-"]
        assert "hubbub 0.1.0 running for 1m, pid 1, 5MiB, stored 1MiB, lag 2ms" in screen.text()
        assert "received 600, unrouted 0, backlog 545, dead letters 0; bus listening" in screen.text()

    run(HubDouble(slow=row()), preferences, steps)


def test_the_last_minutes_are_kept_and_drawn(preferences: Path) -> None:
    async def steps(screen: Screen) -> None:
        for backlog in (0, 400, 800):
            screen.hub.consumers["slow"] = row(backlog=backlog)
            await screen.poll()
        assert screen.table("consumers")[0][3].endswith("▆ ▅█")

    run(HubDouble(slow=row(backlog=545)), preferences, steps)


def test_the_cursor_stays_on_its_consumer_when_the_order_changes(preferences: Path) -> None:
    async def steps(screen: Screen) -> None:
        assert [cells[0] for cells in screen.table("consumers")] == ["a", "b", "c"]
        await screen.press("down")
        assert screen.cursor("consumers") == "b"
        screen.hub.answers["/status"] = status(a=row(backlog=1), b=row(backlog=2), d=row(backlog=9))
        await screen.poll()
        assert [cells[0] for cells in screen.table("consumers")] == ["d", "b", "a"]
        assert screen.cursor("consumers") == "b"
        screen.hub.answers["/status"] = status(a=row(backlog=1))
        await screen.poll()
        assert screen.cursor("consumers") == "a"
        screen.hub.answers["/status"] = status()
        await screen.poll()
        await screen.press("p", "P", "d", "plus", "enter")
        assert (screen.table("consumers"), screen.hub.orders) == ([], [])

    run(HubDouble(a=row(backlog=3), b=row(backlog=2), c=row(backlog=1)), preferences, steps)


def test_the_sorting_is_chosen_by_keys_and_preferences(preferences: Path) -> None:
    hub = HubDouble(
        a=row(backlog=3, dead_letters=1), b=row(backlog=2, dead_letters=5), c=row(backlog=1, dead_letters=3)
    )

    async def by_dead(screen: Screen) -> None:
        assert "backlog ▼" in screen.headings("consumers")
        await screen.press("s")
        assert "last minutes ▼" in screen.headings("consumers")
        await screen.press("s", "s")
        assert [cells[0] for cells in screen.table("consumers")] == ["b", "c", "a"]
        await screen.press("S")
        assert [cells[0] for cells in screen.table("consumers")] == ["a", "c", "b"]

    async def again(screen: Screen) -> None:
        assert [cells[0] for cells in screen.table("consumers")] == ["a", "c", "b"]
        await screen.pilot.click("#consumers", offset=(2, 0))
        await screen.until(lambda: screen.table("consumers")[0][0] == "a", "the order by name")
        assert screen.app.model.sorting.key == "consumer"

    run(hub, preferences, by_dead)
    run(hub, preferences, again)


def test_a_small_terminal_has_the_columns_that_matter(preferences: Path) -> None:
    hub = HubDouble(a=row(backlog=3, catch_up_seconds=38_000.0), slow=row(state="stuck", backlog=5))

    async def steps(screen: Screen) -> None:
        headings = screen.headings("consumers")
        assert [name for name in ("consumer", "state", "backlog ▼", "dead", "caught up") if name not in headings] == []
        assert "p99" not in headings
        assert "in 10h 33m" in screen.drawn("consumers", "a ")
        await screen.press("down")
        assert screen.cursor("consumers") == "a"
        for _ in range(9):
            await screen.press("s")
        assert screen.app.model.sorting.key == "p99"
        assert "p99 ▼" in screen.headings("consumers")
        assert "caught up" in screen.headings("consumers")
        assert screen.cursor("consumers") == "a"
        await screen.pilot.resize_terminal(180, 24)
        await screen.until(lambda: "last minutes" in screen.headings("consumers"), "all columns")
        assert screen.cursor("consumers") == "a"

    run(hub, preferences, steps, size=(80, 24))


def test_a_hub_that_goes_away_is_said_and_one_that_comes_back_is_shown(preferences: Path) -> None:
    async def steps(screen: Screen) -> None:
        before = dict(screen.hub.answers)
        screen.hub.away()
        await screen.poll()
        assert r"no hub is running: \x1b[31mred[/]" in screen.text()
        assert "the numbers are 0s old" in screen.text()
        assert screen.table("consumers")[0][2] == "545"
        screen.hub.answers = {**before, "/status": status(slow=row(backlog=7))}
        await screen.poll()
        assert screen.table("consumers")[0][2] == "7"
        assert "no hub is running" not in screen.text()

    run(HubDouble(slow=row()), preferences, steps)


def test_a_hub_that_is_not_there_at_first_is_waited_for(preferences: Path) -> None:
    hub = HubDouble(slow=row())
    before = dict(hub.answers)
    hub.away()

    async def steps(screen: Screen) -> None:
        assert "no hub is running" in screen.text()
        screen.hub.answers = before
        await screen.until(lambda: screen.table("consumers"), "the next look, which comes by itself")

    run(hub, preferences, steps, interval=0.05)


def test_no_key_waits_for_a_hub_that_hangs(preferences: Path) -> None:
    async def steps(screen: Screen) -> None:
        screen.hub.hold.clear()
        screen.app.poll()
        await screen.press("question_mark")
        await screen.shows("sort by the next column")
        await screen.press("escape", "s")
        assert screen.app.model.sorting.key == "trend"
        screen.hub.hold.set()

    run(HubDouble(slow=row()), preferences, steps)


@pytest.mark.parametrize("name", ["evil\x1b[2J", "[bold red]markup[/]", "[/]", "\u202eback"])
def test_names_and_errors_can_not_forge_the_screen(preferences: Path, name: str) -> None:
    hub = HubDouble(**{name: row(state=name)})
    hub.answers["/status"]["hub"].update(ready=False, not_ready=[name], held_back_by=name)

    async def steps(screen: Screen) -> None:
        shown = name.encode("unicode_escape").decode() if not name.isprintable() else name
        assert screen.table("consumers")[0][:2] == [shown, shown]
        assert f"not ready: {shown}" in screen.text()
        await screen.press("p")
        await screen.shows(f"Pause {shown}? Its queue continues to fill.")
        assert "\x1b[2J" not in screen.text()

    run(hub, preferences, steps)
