"""An alarm does not flicker: it changes only when the value has stayed where it is."""

from __future__ import annotations

from hub.consumers.watch.alarm import Alarm


def changes(alarm: Alarm, *values: tuple[float, bool | None, bool | None]) -> list[tuple[float, str]]:
    found: list[tuple[float, str]] = []
    for now, passed, calm in values:
        turn = alarm.judge(passed, calm, now)
        if turn is not None:
            alarm.turn()
            found.append((now, turn))
    return found


def test_a_limit_must_be_passed_and_the_value_be_calm_for_a_while() -> None:
    passed, between, calm = (True, False), (False, False), (False, True)
    rows = [
        (0, *passed),
        (9, *passed),
        (10, *passed),
        (20, *passed),
        (21, *calm),
        (30, *calm),
        (31, *calm),
        (99, *calm),
    ]
    assert changes(Alarm(10.0), *rows) == [(10, "raised"), (31, "over")]
    assert changes(Alarm(10.0), (0, *passed), (9, *between), (11, *passed), (20, *passed)) == []
    assert changes(Alarm(10.0, raised=True), (0, *calm), (9, *between), (11, *calm), (20, *passed), (22, *calm)) == []


def test_nothing_changes_while_nobody_knows() -> None:
    assert changes(Alarm(0.0), (0, None, None)) == []
    assert changes(Alarm(0.0, raised=True), (0, None, None)) == []
    assert changes(Alarm(10.0), (0, True, False), (9, None, None), (11, True, False)) == []


def test_a_change_that_could_not_be_told_is_due_still() -> None:
    alarm = Alarm(0.0)
    assert [alarm.judge(True, False, now) for now in (0.0, 1.0)] == ["raised", "raised"]
