"""What is mended, what is set aside, and what is counted as lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from hub.store import records as r
from hub.store import tables as t
from hub.store.fsck.aside import Aside
from hub.store.fsck.repair import Outcome, mend
from hub.store.fsck.survey import mended, newest_queues_of
from tests.unit.store.known import Known, edit, given, problems

Change = Callable[[t.Tables, Any], None]
NOW = 1_700_000_000.0


@pytest.fixture
def known(tmp_path: Path) -> Known:
    made = Known(tmp_path)
    made.some()
    made.close()
    return made


def damage(known: Known, how: Change) -> None:
    tables = edit(known.directory)
    with tables.writing() as transaction:
        how(tables, transaction)
    tables.close()


def repair(known: Known, keep: bool = False) -> Outcome:
    """And look whether nothing is found any more."""
    outcome = mended(known.directory, NOW, keep)
    assert outcome.left == []
    assert problems(known.directory) == []
    return outcome


def waiting(known: Known) -> dict[str, dict[int, Any]]:
    return {name: {at: known.messages[name][at] for at in open_} for name, open_ in known.open.items()}


def flip(table: str, key: bytes | None = None, at: int = -1) -> Change:
    """One bit of a row, the first one's if none is named."""

    def change(tables: t.Tables, transaction: Any) -> None:
        cursor = transaction.cursor(getattr(tables, table))
        assert cursor.set_key(key) if key else cursor.first()
        value = bytearray(cursor.value())
        value[at] ^= 1
        transaction.put(bytes(cursor.key()), bytes(value), db=getattr(tables, table))

    return change


def record(known: Known, number: int) -> r.QueueRecord:
    tables = edit(known.directory)
    with tables.writing() as transaction:
        found = r.unseal(r.QUEUE, r.queues, transaction.get(t.queue_key(number), db=tables.queues))
    tables.close()
    return found


def test_a_damaged_page_is_set_aside_and_its_messages_are_counted(known: Known) -> None:
    key: list[bytes] = []

    def choose(tables: t.Tables, transaction: Any) -> None:
        cursor = transaction.cursor(tables.index)
        assert cursor.first()
        key.append(t.number_key(t.span_of(cursor.value())[0]))
        flip("pages", key[0])(tables, transaction)

    damage(known, choose)
    outcome = repair(known)
    assert [problem.kind for problem in outcome.problems] == ["damaged"]
    found, before = given(known.directory), waiting(known)
    lost = {name: before[name].keys() - found[name].keys() for name in before}
    assert any(lost.values())
    for number, name in enumerate(before, 1):
        assert found[name] == {at: message for at, message in before[name].items() if at not in lost[name]}
        assert record(known, number).counters.dropped_damaged == len(lost[name])
    (file,) = (known.directory / "damaged").iterdir()
    assert file.name == f"pages-{key[0].hex()}.20231114T221320Z"
    tables = edit(known.directory)
    with tables.writing() as transaction:
        assert transaction.get(b"pages/" + key[0], db=tables.damaged) == file.read_bytes()
    tables.close()


@pytest.mark.parametrize("table", ["pages", "queues", "letters", "outbox"])
def test_a_record_under_another_key_is_moved_back(known: Known, table: str) -> None:
    def move(tables: t.Tables, transaction: Any) -> None:
        cursor = transaction.cursor(getattr(tables, table))
        assert cursor.first()
        key, value = cursor.key(), cursor.value()
        cursor.delete()
        transaction.put(key[:-1] + b"\xee", value, db=getattr(tables, table))

    damage(known, move)
    repair(known)
    assert given(known.directory) == waiting(known)
    assert not (known.directory / "damaged").exists()


def test_the_index_is_made_anew_from_the_pages(known: Known) -> None:
    damage(known, lambda tables, transaction: transaction.drop(tables.index, delete=False))
    repair(known)
    assert given(known.directory) == waiting(known)


def test_marks_are_made_anew(known: Known) -> None:
    damage(known, lambda tables, transaction: transaction.drop(tables.refs, delete=False))
    repair(known)
    assert given(known.directory) == waiting(known)


def test_messages_that_are_missing_are_counted_and_waited_for_no_more(known: Known) -> None:
    damage(known, lambda tables, transaction: transaction.drop(tables.pages, delete=False))
    repair(known)
    assert given(known.directory) == {name: {} for name in known.open}
    for number, open_ in enumerate(known.open.values(), 1):
        found = record(known, number)
        assert (found.counters.dropped_damaged, found.floor) == (len(open_), found.next_position)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_damaged_queue_is_rebuilt(known: Known, number: int) -> None:
    before = record(known, number)
    damage(known, flip("queues", t.queue_key(number)))
    repair(known)
    after = record(known, number)
    assert (after.name, after.next_position) == (before.name, before.next_position)
    assert (after.letters, after.next_letter) == (before.letters, before.next_letter)
    found, wanted = given(known.directory), waiting(known)
    for name in wanted:
        assert wanted[name].items() <= found[name].items() <= known.messages[name].items()
    assert {name for name in wanted if found[name] != wanted[name]} <= {before.name}


def test_without_an_older_record_the_name_comes_from_the_damaged_one(known: Known) -> None:
    damage(known, flip("queues", t.queue_key(2), r.HEAD_SIZE + 12))  # when it was made: it can still be decoded
    tables = edit(known.directory)
    mend(tables, Aside(known.directory, NOW), False, dict)
    tables.close()
    assert record(known, 2).name == "beta"
    assert problems(known.directory) == []


def test_a_queue_without_a_record_gets_a_name(known: Known) -> None:
    damage(known, lambda tables, transaction: transaction.delete(t.queue_key(2), db=tables.queues))
    tables = edit(known.directory)
    outcome = mend(tables, Aside(known.directory, NOW), False, dict)
    tables.close()
    assert "unknown" in [problem.kind for problem in outcome.problems]
    found = given(known.directory, ("queue-2",))
    assert waiting(known)["beta"].items() <= found["queue-2"].items() <= known.messages["beta"].items()


def test_a_damaged_dead_letter_is_set_aside_and_counted(known: Known) -> None:
    damage(known, flip("letters"))
    number = next(number for number, kept in enumerate(known.letters.values(), 1) if kept)
    before = record(known, number)
    repair(known)
    after = record(known, number)
    assert (after.letters, after.lost_letters) == (before.letters - 1, before.lost_letters + 1)


def test_an_outgoing_message_that_is_damaged_is_set_aside(known: Known) -> None:
    damage(known, flip("outbox"))
    repair(known)
    assert [file.name.partition("-")[0] for file in (known.directory / "damaged").iterdir()] == ["outbox"]


@pytest.mark.parametrize("keep", [False, True])
def test_a_page_that_nobody_needs_goes_unless_they_are_kept(known: Known, keep: bool) -> None:
    page = r.Page.of(999, 5.0, [known.message(5)], [])
    value = bytes(r.seal(r.PAGE, page))
    damage(known, lambda tables, transaction: transaction.put(t.number_key(999), value, db=tables.pages))
    repair(known, keep)
    assert (known.directory / "damaged").exists() is not keep
    assert given(known.directory) == waiting(known)


def test_a_record_that_contradicts_itself_is_rebuilt(known: Known) -> None:
    before = record(known, 1)
    after = r.QueueRecord(**{name: getattr(before, name) for name in before.__struct_fields__})
    after.counters.finished = -5
    value = bytes(r.seal(r.QUEUE, after))
    damage(known, lambda tables, transaction: transaction.put(t.queue_key(1), value, db=tables.queues))
    assert "books" in [problem.kind for problem in repair(known).problems]
    assert min(asdict(record(known, 1).counters).values()) >= 0


def test_all_at_once(known: Known) -> None:
    for table in ("pages", "queues", "letters", "outbox"):
        damage(known, flip(table))
    damage(known, lambda tables, transaction: transaction.drop(tables.refs, delete=False))
    damage(known, lambda tables, transaction: transaction.put(t.place_key(9, 9), bytes(28), db=tables.tries))
    repair(known)
    found = given(known.directory)
    for name, messages in known.messages.items():
        assert found[name].items() <= messages.items()


def test_a_repair_of_what_is_sound_changes_nothing(known: Known) -> None:
    before = given(known.directory)
    assert repair(known).problems == []
    assert given(known.directory) == before


def test_it_is_all_or_nothing(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    damage(known, flip("pages"))
    before = [problem.text for problem in problems(known.directory)]
    tables = edit(known.directory)
    monkeypatch.setattr(Aside, "sync", lambda self: (_ for _ in ()).throw(OSError("the disk is gone")))
    with pytest.raises(OSError, match="gone"):
        mend(tables, Aside(known.directory, NOW), False, lambda: newest_queues_of(known.directory))
    tables.close()
    assert [problem.text for problem in problems(known.directory)] == before
