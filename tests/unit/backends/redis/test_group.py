"""Ids of entries, and the numbers of a group."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from hub.backends.redis import group as redis_group
from hub.backends.redis.group import Group, after, before, floors, found_in, parse_id
from hub.backends.redis.line import ErrorReply
from tests.unit.backends.redis.clients import settings
from tests.unit.backends.redis.double import Double

TOP = (1 << 64) - 1


class Scripted:
    """A line whose answers are given, by the first two words of a command, or by the first: one for ever, or each."""

    def __init__(self, **answers: Any) -> None:
        self.commands: list[tuple[Any, ...]] = []
        self._answers = answers

    def call(self, *command: Any) -> Any:
        self.commands.append(command)
        both = "_".join(map(str, command[:2]))
        answer = self._answers[both if both in self._answers else command[0]]
        if isinstance(answer, Iterator):
            answer = next(answer)
        if isinstance(answer, Exception):
            raise answer
        return answer


def group(**given: Any) -> Group:
    return Group("work", settings(1, group="g", **given), "me")


def row(last: bytes, pending: int = 0, lag: int | None = None, name: bytes = b"g") -> list[Any]:
    return [b"name", name, b"pending", pending, b"last-delivered-id", last, b"lag", lag]


def stream(length: int, first: bytes, last: bytes) -> list[Any]:
    return [b"length", length, b"first-entry", [first, []], b"last-generated-id", last]


def test_ids_compare_as_numbers() -> None:
    assert parse_id(b"9-10") < parse_id(b"10-2") < parse_id(b"10-10")
    assert parse_id(b"7") == (7, 0)


@pytest.mark.parametrize(("first", "second"), [(b"5-1", b"5-2"), (b"5-%d" % TOP, b"6-0"), (b"0-0", b"0-1")])
def test_neighbours(first: bytes, second: bytes) -> None:
    assert after(first) == second
    assert before(second) == first


def test_nothing_is_before_the_first_id() -> None:
    assert before(b"0-0") == b"0-0"


@pytest.mark.parametrize(
    ("answers", "unread", "exact"),
    [
        ({"XINFO_STREAM": stream(40, b"61-0", b"100-0"), "XINFO_GROUPS": [row(b"100-0", lag=40)]}, 0, True),
        ({"XINFO_STREAM": stream(50, b"51-0", b"100-0"), "XINFO_GROUPS": [row(b"10-0", lag=90)]}, 50, True),
        ({"XINFO_STREAM": stream(9, b"1-0", b"9-0"), "XINFO_GROUPS": [row(b"6-0")], "XRANGE": [1, 2, 3]}, 3, True),
        ({"XINFO_STREAM": stream(9000, b"1-0", b"9999-0"), "XINFO_GROUPS": [row(b"6-0", lag=7000)]}, 7000, False),
        ({"XINFO_STREAM": stream(9000, b"1-0", b"9999-0"), "XINFO_GROUPS": [row(b"6-0")]}, 9000, False),
        ({"XINFO_STREAM": stream(9000, b"1-0", b"9999-0"), "XINFO_GROUPS": [row(b"6-0", lag=10**6)]}, 9000, False),
    ],
)
def test_what_is_unread_is_counted_by_us(answers: dict[str, Any], unread: int, exact: bool) -> None:
    """Once entries were trimmed the server's ``lag`` is wrong, or null."""
    found = group().numbers(Scripted(**{"XRANGE": [0] * 1000, **answers}))  # type: ignore[arg-type]
    assert (found.unread, found.exact) == (unread, exact)


def test_the_floor_is_below_what_somebody_has() -> None:
    line: Any = Scripted(
        XINFO_STREAM=stream(9, b"1-0", b"9-0"),
        XINFO_GROUPS=[row(b"9-0", 4), row(b"7-0", name=b"other")],
        XPENDING=[4, b"5-0", b"9-0", []],
    )
    assert group().numbers(line).floor == before(b"5-0")
    assert floors(line, "work") == [(b"g", before(b"5-0")), (b"other", b"7-0")]


def test_a_group_that_is_gone_is_told() -> None:
    line: Any = Scripted(XINFO_STREAM=stream(9, b"1-0", b"9-0"), XINFO_GROUPS=[])
    with pytest.raises(ErrorReply, match="NOGROUP"):
        group().numbers(line)


def gone() -> Iterator[Any]:
    """Answers to reading a group that is missing, and is there then."""
    return iter([ErrorReply("NOGROUP No such key 'work' or consumer group 'g'"), [[b"work", []]]])


@pytest.mark.parametrize(("start", "place"), [("oldest", b"0"), ("newest", b"$")])
def test_a_new_group_begins_where_the_settings_say(start: str, place: bytes) -> None:
    line: Any = Scripted(XREADGROUP=gone(), XGROUP=b"OK")
    assert group(start=start).open(line, b"9-0")
    assert line.commands[1] == ("XGROUP", "CREATE", "work", "g", place, "MKSTREAM")


def test_a_group_that_another_hub_has_made_meanwhile_is_left_alone() -> None:
    line: Any = Scripted(XREADGROUP=gone(), XGROUP=ErrorReply("BUSYGROUP Consumer Group name already exists"))
    assert group().open(line, b"9-0")


def test_nothing_is_written_where_the_group_is_there() -> None:
    """A server that is full would refuse it."""
    line: Any = Scripted(XREADGROUP=[[b"work", []]])
    assert not group().open(line, b"9-0")
    assert len(line.commands) == 1


@pytest.mark.parametrize(
    ("last", "place"), [([[b"9-0", []]], b"5-0"), ([[b"3-0", []]], b"0"), ([], b"0")], ids=["same", "newer", "empty"]
)
def test_a_deleted_group_begins_where_it_was_and_a_new_stream_at_its_beginning(last: Any, place: bytes) -> None:
    line: Any = Scripted(XREADGROUP=gone(), XGROUP=b"OK", XREVRANGE=last)
    made = group(start="newest")
    made.floor = b"5-0"
    assert made.open(line, b"9-0")
    assert line.commands[-2][4] == place


def test_entries_that_redis_62_left_out() -> None:
    assert [one.id for one in found_in([[b"1-0", [b"a", b"b"]], None])] == [b"1-0"]


def test_deliveries_are_counted_though_other_entries_lie_between(
    server: Double, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_group, "PAGE", 3)
    ids = [server.do("XADD", "work", "*", "body", number) for number in range(11)]
    server.do("XGROUP", "CREATE", "work", "g", "0")
    server.do("XREADGROUP", "GROUP", "g", "me", "COUNT", 11, "STREAMS", "work", ">")
    wanted = [ids[1], ids[5], ids[9]]
    for _ in range(2):
        server.do("XREADGROUP", "GROUP", "g", "me", "COUNT", 11, "STREAMS", "work", "0")
    line: Any = SimpleNamespace(call=server.do)
    assert group().deliveries(line, wanted) == dict.fromkeys(wanted, 3)
    assert group().deliveries(line, ids[3:4]) == {ids[3]: 3}
