"""The protocol of pass_persist, with a tree of a few objects."""

from __future__ import annotations

from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.monitoring.snmp_agent import LONGEST_LINE, Agent, Oid, Tree, Value, format_oid, parse_oid

OIDS = st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=6).map(tuple)
TREE = Tree(
    {
        (1, 10): Value("string", "ten"),
        (1, 9, 0): Value("gauge", "9"),
        (1, 9): Value("integer", "-1"),
    }
)


def ask(text: str, tree: Tree = TREE) -> list[str]:
    answers = StringIO()
    Agent(lambda: tree).serve(StringIO(text), answers)
    return answers.getvalue().splitlines()


def test_what_is_there_is_answered_with_oid_type_and_value() -> None:
    assert ask("PING\n") == ["PONG"]
    assert ask("get\n.1.9.0\n") == [".1.9.0", "gauge", "9"]
    assert ask("GET\n1.10\nPING\n") == [".1.10", "string", "ten", "PONG"]


def test_a_walk_meets_all_in_the_order_of_numbers_not_of_texts() -> None:
    found = [".1"]
    while (answer := ask(f"getnext\n{found[-1]}\n")) != ["NONE"]:
        found.append(answer[0])
    assert found == [".1", ".1.9", ".1.9.0", ".1.10"]
    assert ask("getnext\n.1.9.0.7\n") == [".1.10", "string", "ten"]
    assert ask("getnext\n.0\n") == [".1.9", "integer", "-1"]
    assert ask("getnext\n.1\n", Tree({})) == ["NONE"]


@pytest.mark.parametrize(
    "oid", ["", ".", "abc", ".1..2", "-1", "1.4294967296", "1_0", "٣", ".1.9.0 x", "1." * 129 + "1"]
)
def test_what_is_no_oid_is_none_and_the_next_question_is_heard(oid: str) -> None:
    assert ask(f"get\n{oid}\nPING\n") == ["NONE", "PONG"]
    assert ask(f"getnext\n{oid}\nPING\n") == ["NONE", "PONG"]


def test_nothing_is_there_but_what_is_there_and_nothing_can_be_set() -> None:
    assert ask("get\n.1.9.0.0\n") == ask("get\n.1\n") == ["NONE"]
    assert ask("set\n.1.9\ninteger 5\nPING\n") == ["not-writable", "PONG"]


@pytest.mark.parametrize(
    ("asked", "answered"), [("what?\n", ["NONE"]), ("get", ["NONE"]), ("set\n.1.9", ["not-writable"])]
)
def test_garbage_and_halves_are_answered(asked: str, answered: list[str]) -> None:
    assert ask(asked) == answered


def test_it_ends_at_an_empty_line_and_at_the_end() -> None:
    assert ask("PING\n\nPING\n") == ["PONG"]
    assert ask("") == []


def test_a_line_without_end_is_taken_in_pieces() -> None:
    assert ask("x" * (2 * LONGEST_LINE + 5) + "\nPING\n")[-1] == "PONG"


@given(oid=OIDS)
def test_an_oid_survives_being_written_and_read(oid: Oid) -> None:
    assert parse_oid(format_oid(oid)) == oid


@given(oids=st.sets(OIDS), start=OIDS)
def test_the_next_object_is_the_lowest_of_those_behind(oids: set[Oid], start: Oid) -> None:
    tree = Tree(dict.fromkeys(oids, Value("integer", "1")))
    assert tree.after(start) == min((oid for oid in oids if oid > start), default=None)
