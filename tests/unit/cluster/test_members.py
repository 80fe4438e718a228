"""The nodes of a cluster, by what was heard of them; the time is an argument."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from hub.cluster.members import MOST_NODES, TOLERANCE, Members, Notice
from hub.cluster.seal import RefusedAnnouncement
from tests.unit.cluster.news import WALL, A, B, C, announcement

OWN = "0" * 32
DAY = 86400.0


class Ear:
    """A hub's view, whose clocks stand ``seconds`` after their beginning."""

    def __init__(self) -> None:
        self.members = Members("own", OWN, DAY)
        self.log: list[str] = []
        self.warnings: list[str] = []

    def hear(
        self, seconds: float, node: str = "alpha", start: str = A, number: int = 1, ahead: float = 0.0, **more: Any
    ) -> None:
        told = announcement(node, start, number, WALL + seconds + ahead, **more)
        self._note(self.members.hear(told, seconds, WALL + seconds))

    def check(self, seconds: float, hears: bool = True) -> None:
        self._note(self.members.check(seconds, WALL + seconds, hears))

    def _note(self, notices: list[Notice]) -> None:
        self.log += [notice.text for notice in notices]
        self.warnings += [notice.text for notice in notices if notice.level == logging.WARNING]

    def refusal(self, seconds: float, **more: Any) -> str:
        with pytest.raises(RefusedAnnouncement) as caught:
            self.hear(seconds, **more)
        return caught.value.reason

    @property
    def states(self) -> dict[str, str]:
        return {name: node.state for name, node in self.members.named()}


def test_a_node_that_is_silent_has_vanished_within_fifteen_seconds_and_is_told_once() -> None:
    ear = Ear()
    ear.hear(0.0)
    for second in range(1, 9):
        ear.check(float(second))
    assert ear.states == {"alpha": "present"}
    ear.check(9.0)
    ear.check(10.0)
    assert ear.states == {"alpha": "vanished"}
    assert ear.log == ["node alpha has joined", "node alpha has vanished: nothing was heard of it for 9s"]
    assert ear.warnings == ear.log[1:]
    ((_, node),) = ear.members.named()
    assert node.since == WALL
    assert list(ear.members.counted()) == []


def test_two_announcements_may_be_lost() -> None:
    ear = Ear()
    ear.hear(0.0)
    ear.check(8.9)
    ear.hear(8.95, number=4)
    ear.check(17.0)
    assert ear.states == {"alpha": "present"}


def test_one_that_is_back_is_told() -> None:
    ear = Ear()
    ear.hear(0.0)
    ear.check(10.0)
    ear.hear(70.0, number=2)
    assert ear.log[-1] == "node alpha is back, after 1m 10s"
    assert ear.states == {"alpha": "present"}


def test_one_that_stops_in_order_has_left() -> None:
    ear = Ear()
    ear.hear(0.0)
    ear.hear(1.0, number=2, leaving=True)
    ear.check(100.0)
    assert ear.states == {"alpha": "left"}
    assert ear.warnings == []
    assert ear.log[-1] == "node alpha has left: its hub stops in order"


def test_one_whose_settings_change_has_left_without_a_stop() -> None:
    ear = Ear()
    ear.hear(0.0)
    ear.hear(1.0, number=2, leaving=True, reload=True)
    assert ear.log[-1].startswith("node alpha has left: its hub has read other settings")
    ear.hear(2.0, start=B, follows=A)
    assert ear.log[-1] == "node alpha is back"
    assert ear.states == {"alpha": "present"}


def test_one_that_gets_another_name_is_told_with_both() -> None:
    ear = Ear()
    ear.hear(0.0)
    ear.hear(1.0, number=2, leaving=True, reload=True)
    ear.hear(2.0, "omega", start=B, follows=A)
    assert ear.log[-1] == "node alpha is called omega now"
    assert ear.states == {"omega": "present"}
    assert ear.refusal(3.0, number=2, leaving=True, reload=True) == "replayed"


def test_nobody_becomes_another_that_is_there() -> None:
    ear = Ear()
    ear.hear(0.0)
    ear.hear(1.0, "omega", start=B, follows=A)
    assert ear.states == {"alpha": "present", "omega": "present"}
    assert ear.log[-1] == "node omega has joined"


def test_silence_counts_only_while_this_hub_heard() -> None:
    ear = Ear()
    ear.hear(0.0)
    ear.members.pass_over(16.0, 18.0)
    ear.check(24.9)
    assert ear.states == {"alpha": "present"}
    ear.members.check(30.0, WALL + 30.0, until=21.9)
    assert ear.states == {"alpha": "present"}
    ear.members.check(30.0, WALL + 30.0, until=22.0)
    assert ear.states == {"alpha": "vanished"}


def test_one_that_is_called_like_another_with_its_mark_hides_nobody() -> None:
    ear = Ear()
    ear.hear(0.0, began=WALL - 3)
    ear.hear(0.0, f"alpha ({B[:8]})", start=C, began=WALL)
    ear.hear(1.0, start=B, began=WALL)
    ear.hear(2.0, number=2, began=WALL - 3)
    names = list(ear.states)
    assert len(names) == len(set(names)) == 3


def test_one_that_has_gone_is_forgotten_after_a_while() -> None:
    ear = Ear()
    ear.hear(0.0)
    ear.check(10.0)
    ear.check(DAY - 1)
    assert ear.states == {"alpha": "vanished"}
    ear.check(DAY)
    assert ear.states == {}
    assert ear.log[-1] == "node alpha, which has vanished, is forgotten"


def test_an_old_announcement_is_refused() -> None:
    ear = Ear()
    ear.hear(0.0, number=5)
    assert ear.refusal(1.0, number=5) == "replayed"
    assert ear.refusal(1.0, number=4) == "replayed"
    assert ear.refusal(1.0, start=B, ahead=-TOLERANCE - 1) == "time"
    assert ear.refusal(1.0, start=B, ahead=TOLERANCE + 1) == "time"


def test_those_of_a_start_that_has_ended_are_refused_too() -> None:
    ear = Ear()
    ear.hear(0.0, number=5)
    ear.check(20.0)
    ear.hear(30.0, start=B)
    assert ear.states == {"alpha": "present"}
    assert ear.refusal(31.0, start=A, number=5, ahead=-31.0) == "replayed"
    ear.check(31.0 + 3 * TOLERANCE, hears=False)
    assert ear.refusal(31.0 + 3 * TOLERANCE, start=A, number=5, ahead=-31.0 - 3 * TOLERANCE) == "time"


def test_clocks_may_differ_and_silence_is_judged_by_ones_own() -> None:
    ear = Ear()
    for number in range(1, 20):
        ear.hear(3.0 * number, number=number, ahead=250.0 if number % 2 else -250.0)
        ear.check(3.0 * number + 2)
    assert ear.states == {"alpha": "present"}
    ear.check(57.0 + 9.0)
    assert ear.states == {"alpha": "vanished"}


def test_nobody_is_judged_while_this_hub_hears_nothing() -> None:
    ear = Ear()
    ear.hear(0.0)
    for second in range(1, 60):
        ear.check(float(second), hears=False)
    assert ear.states == {"alpha": "present"}
    ear.check(60.0)
    ear.check(67.0)
    assert ear.states == {"alpha": "present"}
    ear.check(68.0)
    assert ear.states == {"alpha": "vanished"}


def test_one_that_starts_again_is_the_same_node() -> None:
    ear = Ear()
    ear.hear(0.0)
    ear.hear(2.0, start=B)
    assert ear.states == {"alpha": "present"}
    assert [start for start, _ in ear.members.counted()] == [B]
    ear.check(10.0)
    assert ear.warnings == []
    assert ear.log == ["node alpha has joined", "node alpha is back"]


def test_two_of_one_name_are_both_shown_and_told_once() -> None:
    ear = Ear()
    for number in range(1, 5):
        ear.hear(3.0 * number, number=number)
        ear.hear(3.0 * number + 1, start=B, number=number, began=WALL)
        ear.check(3.0 * number + 2)
    assert ear.warnings == ["2 hubs call themselves node alpha: give each its own 'node'"]
    assert ear.states == {"alpha": "present", f"alpha ({B[:8]})": "present"}
    assert len(list(ear.members.counted())) == 2


def test_another_hub_with_this_ones_name_is_shown_and_told() -> None:
    ear = Ear()
    ear.hear(0.0, node="own")
    assert ear.states == {}
    ear.hear(3.0, node="own", number=2)
    assert ear.states == {f"own ({A[:8]})": "present"}
    assert ear.warnings == ["2 hubs call themselves node own: give each its own 'node'"]


def test_ones_own_announcements_are_no_news() -> None:
    ear = Ear()
    ear.hear(0.0, node="own", start=OWN)
    assert (ear.states, ear.log) == ({}, [])


def test_there_is_room_for_so_many() -> None:
    ear = Ear()
    for index in range(MOST_NODES):
        ear.hear(0.0, node=f"n{index}", start=f"{index:032x}".replace("0" * 32, "f" * 32))
    assert ear.refusal(0.0, node="more", start=C) == "too_many"
    ear.hear(1.0, node="n7", start=f"{7:032x}", number=2, leaving=True)
    ear.hear(2.0, node="more", start=C)
    assert "n7" not in ear.states
    assert ear.states["more"] == "present"


def test_names_are_safe_in_the_log() -> None:
    ear = Ear()
    ear.hear(0.0, node="al\x1b[31mpha\n")
    ear.hear(0.0, node="be" + " " * 90 + "ta", start=B)
    ear.hear(0.0, node="x" * 255, start=C)
    assert ear.log == [
        r"node al\x1b[31mpha\n has joined",
        "node be ta has joined",
        f"node {'x' * 79}… has joined",
    ]
