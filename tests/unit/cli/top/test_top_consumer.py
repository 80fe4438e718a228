"""What ``hubbub top`` does to a consumer, and its screen of one consumer."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.cli.times import later
from hub.errors import OrderRefused
from tests.unit.cli.top.hub_double import HubDouble, letter, row, status, worker
from tests.unit.cli.top.screens import NOW, Screen, preferences, run

__all__ = ["preferences"]


def with_letters(count: int = 3) -> HubDouble:
    hub = HubDouble(slow=row(dead=count))
    odd = letter(9, error="KeyError", reason="'x'\x1b[2J")
    hub.answers["/dead/slow"] = {"dead_letters": [letter(number) for number in range(1, count + 1)] + [odd]}
    hub.answers["/retry-dead"] = lambda: {"start": 100, "stop": 101, "count": len(hub.orders[-1][1]["numbers"])}
    hub.answers["/delete-dead"] = {"deleted": count}
    return hub


def test_it_pauses_after_asking_also_until_a_time(preferences: Path) -> None:
    async def steps(screen: Screen) -> None:
        await screen.press("p")
        await screen.shows("Pause slow?")
        await screen.press("escape")
        await screen.press("p", *"1h", "enter")
        await screen.ordered("/pause", {"consumer": "slow", "until": NOW + 3600})
        await screen.press("p", "enter")
        await screen.ordered("/pause", {"consumer": "slow"})
        await screen.press("p", *"soon", "enter")
        await screen.shows("expected a duration such as 1h, a time such as 14:30, or a date and time, not 'soon'")
        assert len(screen.hub.orders) == 2
        assert later("1h", NOW) == NOW + 3600

    run(HubDouble(slow=row()), preferences, steps)


@pytest.mark.parametrize(("state", "key"), [("paused", "p"), ("draining", "p"), ("draining", "d"), ("drained", "d")])
def test_what_does_not_run_may_go_on(preferences: Path, state: str, key: str) -> None:
    async def steps(screen: Screen) -> None:
        await screen.press(key)
        await screen.shows(f"slow is {state}. Resume it?")
        await screen.press("enter")
        assert screen.hub.orders == []
        await screen.press("y")
        await screen.ordered("/resume", {"consumer": "slow"})

    run(HubDouble(slow=row(state=state)), preferences, steps)


def test_it_drains_and_purges_after_asking_with_the_count(preferences: Path) -> None:
    async def steps(screen: Screen) -> None:
        await screen.press("d")
        await screen.shows("are dropped and counted until it is resumed")
        await screen.press("n", "d", "y")
        await screen.ordered("/drain", {"consumer": "slow"})
        await screen.press("P")
        await screen.shows("Drop the 540 messages that wait for slow?")
        await screen.press("y")
        await screen.ordered("/purge-queue", {"queue": "slow"})
        await screen.shows("540 dropped")
        assert len(screen.hub.orders) == 2

    hub = HubDouble(slow=row(backlog=545, in_flight=2, delayed=3))
    hub.answers["/purge-queue"] = {"purged": 540}
    run(hub, preferences, steps)


def test_keys_for_threads_count_though_the_hub_has_not_answered_yet(preferences: Path) -> None:
    async def steps(screen: Screen) -> None:
        screen.hub.hold.clear()
        await screen.press("plus", "plus", "plus", "minus", "minus", "minus", "minus")
        screen.hub.hold.set()
        await screen.until(lambda: len(screen.hub.orders) == 7, "the orders")
        assert [order[1]["count"] for order in screen.hub.orders] == [2, 3, 4, 3, 2, 1, 1]

    run(HubDouble(slow=row()), preferences, steps)


def test_a_reload_tells_what_changed_or_why_not(preferences: Path) -> None:
    async def steps(screen: Screen) -> None:
        await screen.press("R")
        await screen.shows("consumer x: added")
        screen.hub.answers["/reload"] = OrderRefused("hub.conf: [bad]\nand more\x1b[2J")
        await screen.press("R")
        await screen.shows("hub.conf: [bad]\nand more\\x1b[2J")

    hub = HubDouble(slow=row())
    hub.answers["/reload"] = {"changes": ["consumer x: added"]}
    run(hub, preferences, steps)


def test_a_consumers_screen_has_its_numbers_its_threads_and_their_stacks(preferences: Path) -> None:
    error = {
        "time": NOW - 5,
        "error": "ValueError",
        "text": "no\nluck",
        "topic": "a.b",
        "message_id": "7",
        "attempt": 2,
    }
    hub = HubDouble(slow=row(workers=[worker(), worker("slow-2", "idle", None)], last_error=error))
    hub.answers["/dead/slow"] = {"dead_letters": []}
    hub.answers["/threads/slow"] = {"threads": [{**worker(), "stack": "File x\n  wait()"}, worker("slow-2")]}

    async def steps(screen: Screen) -> None:
        await screen.press("enter")
        await screen.shows("slow, 1 thread")
        assert screen.table("threads") == [
            ["slow-1", "busy", "3.5s", "org.example.a", "2026-1"],
            ["slow-2", "idle", "", "", ""],
        ]
        await screen.shows("ValueError: no\\nluck (a.b, 7, attempt 2)")
        await screen.press("k")
        await screen.shows("File x\n  wait()")
        await screen.press("escape", "down", "k")
        await screen.shows("no stack: the thread is not running")
        await screen.press("escape", "p")
        await screen.shows("Pause slow?")
        await screen.press("escape")
        screen.hub.answers["/status"] = status()
        await screen.poll()
        await screen.shows("this queue no longer exists")
        await screen.press("escape")
        assert screen.table("consumers") == []

    run(hub, preferences, steps)


def test_dead_letters_are_grouped_shown_retried_and_deleted(preferences: Path) -> None:
    async def steps(screen: Screen) -> None:
        await screen.press("enter")
        await screen.until(lambda: screen.table("dead"), "the dead letters")
        assert [(cells[0], *cells[3:]) for cells in screen.table("dead")] == [
            ("3", "ValueError", "no luck"),
            ("1", "KeyError", "'x'\\x1b[2J"),
        ]
        await screen.press("x")
        await screen.shows("Delete 3 dead letters of slow? This can't be undone.")
        await screen.press("n", "r", "y")
        await screen.ordered("/retry-dead", {"consumer": "slow", "numbers": [1, 2, 3]})
        await screen.press("tab", "enter")
        await screen.until(lambda: len(screen.table("letters")) == 3, "the letters of the group")
        await screen.press("down", "enter")
        await screen.shows("header:      h: v")
        await screen.press("escape", "x", "y")
        await screen.ordered("/delete-dead", {"consumer": "slow", "numbers": [2]})
        screen.hub.answers["/dead/slow"] = {"dead_letters": [letter(3)]}
        await screen.press("r", "y")
        await screen.until(lambda: len(screen.table("letters")) == 1, "the letter that is left")
        await screen.press("escape")
        await screen.until(lambda: len(screen.table("dead")) == 1, "the group that is left")

    run(with_letters(), preferences, steps)


def test_a_canary_goes_first_and_the_rest_only_if_it_lives(preferences: Path) -> None:
    hub = with_letters()

    async def steps(screen: Screen) -> None:
        await screen.press("enter")
        await screen.until(lambda: screen.table("dead"), "the dead letters")
        await screen.press("c")
        await screen.shows("Give 3 dead letters to slow again, 1 first and the others if it is finished?")
        problem = "the queue of slow took 0 of 1 dead letter: it is full"
        hub.answers["/retry-dead"] = {"start": 100, "stop": 100, "count": 0, "not_taken": 1, "problem": problem}
        await screen.press("y")
        await screen.shows(problem)
        order = {"consumer": "slow", "numbers": [1, 2, 3], "canary": 1, "timeout": 60.0}
        assert hub.orders == [("/retry-dead", order)]
        problem = "1 failed again, the first with: 'y'"
        hub.answers["/retry-dead"] = {"start": 100, "stop": 101, "count": 1, "problem": problem}
        await screen.press("c", "y")
        await screen.shows(problem)
        assert len(hub.orders) == 2

    run(hub, preferences, steps)


def test_a_canary_that_lives_is_followed_by_the_rest(preferences: Path) -> None:
    async def steps(screen: Screen) -> None:
        await screen.press("enter")
        await screen.until(lambda: screen.table("dead"), "the dead letters")
        screen.hub.answers["/retry-dead"] = {"start": 100, "stop": 103, "count": 3}
        await screen.press("c", "y")
        await screen.shows("3 are tried again")

    run(with_letters(), preferences, steps)


def test_dead_letters_that_somebody_else_deleted_go_from_the_screen(preferences: Path) -> None:
    async def steps(screen: Screen) -> None:
        await screen.press("enter")
        await screen.until(lambda: screen.table("dead"), "the dead letters")
        screen.hub.answers["/dead/slow"] = {"dead_letters": []}
        screen.hub.consumers["slow"] = {**screen.hub.consumers["slow"], "dead_letters": 0}
        await screen.poll()
        await screen.until(lambda: not screen.table("dead"), "the table without them")

    hub = with_letters()
    hub.consumers["slow"]["dead_letters"] = 3
    run(hub, preferences, steps)


def test_what_a_full_queue_took_is_gone_from_the_screen(preferences: Path) -> None:
    hub = with_letters()
    problem = "the queue of slow took 2 of 3 dead letters: it is full, so 1 stayed"
    hub.answers["/retry-dead"] = {"start": 100, "stop": 102, "count": 2, "not_taken": 1, "problem": problem}

    async def steps(screen: Screen) -> None:
        await screen.press("enter")
        await screen.until(lambda: screen.table("dead"), "the dead letters")
        await screen.press("r")
        await screen.shows("Give 3 dead letters to slow again?")
        hub.answers["/dead/slow"] = {"dead_letters": [letter(3)]}
        await screen.press("y")
        await screen.shows("the queue of slow took 2 of 3 dead letters: it is full")
        await screen.until(lambda: [cells[0] for cells in screen.table("dead")] == ["1"], "the one that is left")

    run(hub, preferences, steps)


def test_what_is_long_is_cut(preferences: Path) -> None:
    hub = HubDouble(slow=row(workers=[worker(topic="t" * 500)]))
    hub.answers["/dead/slow"] = {"dead_letters": [letter(number, body="b" * 200_000) for number in range(1500)]}

    async def steps(screen: Screen) -> None:
        await screen.press("enter")
        await screen.until(lambda: screen.table("dead"), "the dead letters")
        assert screen.table("threads")[0][3] == "t" * 100 + "…"
        await screen.press("tab", "enter")
        await screen.shows("the first 1000 of 1500")
        assert len(screen.table("letters")) == 1000
        await screen.press("enter")
        await screen.shows("characters more")
        assert len(screen.text()) < 110_000

    run(hub, preferences, steps)
