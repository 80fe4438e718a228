"""What a repair mends, sets aside, and counts as lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.store import records as r
from hub.store import tables as t
from hub.store.fsck.image import Image
from hub.store.fsck.problem import Problem
from hub.store.fsck.quarantine import Quarantine
from hub.store.fsck.remains import Remains
from hub.store.fsck.rewrite import rewrite
from tests.unit.store.known import Known, edit, given, problems

Change = Callable[[t.Tables, Any], None]
NOW = 1_700_000_000.0


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Known:
    monkeypatch.setattr("hub.store.fsck.rows.isolated", lambda work, *arguments: work(*arguments))
    made = Known(tmp_path)
    made.some()
    made.close()
    return made


def damage(known: Known, how: Change) -> None:
    tables = edit(known.directory)
    with tables.writing() as transaction:
        how(tables, transaction)
    tables.close()


def repair(known: Known, keep: bool = False) -> list[Problem]:
    """And look whether nothing is found any more. Returns what was found before."""
    found = problems(known.directory)
    assert rewrite(known.directory, NOW, keep).left == []
    assert problems(known.directory) == []
    return found


def set_aside(known: Known) -> list[Path]:
    """Without the old file, which is always kept."""
    return [path for path in (known.directory / "damaged").iterdir() if not path.name.startswith(t.FILE)]


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
    assert [problem.kind for problem in repair(known)] == ["damaged"]
    found, before = given(known.directory), waiting(known)
    lost = {name: before[name].keys() - found[name].keys() for name in before}
    assert any(lost.values())
    for number, name in enumerate(before, 1):
        assert found[name] == {at: message for at, message in before[name].items() if at not in lost[name]}
        assert record(known, number).counters.dropped_damaged == len(lost[name])
    (file,) = set_aside(known)
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
    assert set_aside(known) == []


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


class Nothing(Remains):
    """No older record is left in the file."""

    def __init__(self, image: Image) -> None:
        super().__init__(image)
        self.queues.clear()


def test_without_an_older_record_the_name_comes_from_the_damaged_one(
    known: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    damage(known, flip("queues", t.queue_key(2), r.HEAD_SIZE + 12))  # when it was made: it can still be decoded
    monkeypatch.setattr("hub.store.fsck.rebuild.Remains", Nothing)
    repair(known)
    assert record(known, 2).name == "beta"


@pytest.mark.parametrize("name", ["alpha", "a/b", "", "a\x1bb", 7])
def test_a_name_that_is_none_or_another_ones_is_not_taken_from_it(
    known: Known, monkeypatch: pytest.MonkeyPatch, name: object
) -> None:
    def rename(tables: t.Tables, transaction: Any) -> None:
        value = transaction.get(t.queue_key(2), db=tables.queues)
        fields = msgspec.msgpack.decode(value[r.HEAD_SIZE :])
        fields[1] = name
        damaged = bytearray(r.seal(r.QUEUE, fields))
        damaged[5] ^= 1  # the checksum
        transaction.put(t.queue_key(2), bytes(damaged), db=tables.queues)

    damage(known, rename)
    monkeypatch.setattr("hub.store.fsck.rebuild.Remains", Nothing)
    repair(known)
    assert record(known, 2).name == "queue-2"


def test_a_queue_without_a_record_gets_a_name(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    damage(known, lambda tables, transaction: transaction.delete(t.queue_key(2), db=tables.queues))
    monkeypatch.setattr("hub.store.fsck.rebuild.Remains", Nothing)
    assert "unknown" in [problem.kind for problem in repair(known)]
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
    assert [file.name.partition("-")[0] for file in set_aside(known)] == ["outbox"]


@pytest.mark.parametrize("keep", [False, True])
def test_a_page_that_nobody_needs_goes_unless_they_are_kept(known: Known, keep: bool) -> None:
    page = r.Page.of(999, 5.0, [known.message(5)], [])
    value = bytes(r.seal(r.PAGE, page))
    damage(known, lambda tables, transaction: transaction.put(t.number_key(999), value, db=tables.pages))
    repair(known, keep)
    assert bool(set_aside(known)) is not keep
    assert given(known.directory) == waiting(known)


@pytest.mark.parametrize("lost", ["damaged", "needed by nobody"])
def test_no_number_of_a_page_that_is_taken_out_is_used_again(known: Known, lost: str) -> None:
    """Clients know messages by it."""
    numbers: list[int] = []

    def change(tables: t.Tables, transaction: Any) -> None:
        numbers.append(t.following_page(transaction, tables))
        if lost == "damaged":
            transaction.put(t.number_key(numbers[0] - 1), b"garbage", db=tables.pages)
        else:
            page = msgspec.structs.replace(any_page(tables, transaction), number=numbers[0], shares=[])
            transaction.put(t.number_key(numbers[0]), r.seal(r.PAGE, page), db=tables.pages)
            numbers[0] += 1
        transaction.put(t.FOLLOWING, b"damaged!", db=tables.meta)

    damage(known, change)
    assert "highest" in [problem.kind for problem in repair(known)]
    tables = edit(known.directory)
    with tables.reading() as transaction:
        assert t.following_page(transaction, tables) == numbers[0]
        assert transaction.get(t.number_key(numbers[0] - 1), db=tables.pages) is None
    tables.close()


def any_page(tables: t.Tables, transaction: Any) -> r.Page:
    cursor = transaction.cursor(tables.pages)
    assert cursor.first()
    return r.unseal(r.PAGE, r.pages, cursor.value())


def test_a_record_that_contradicts_itself_is_rebuilt(known: Known) -> None:
    before = record(known, 1)
    after = r.QueueRecord(**{name: getattr(before, name) for name in before.__struct_fields__})
    after.counters.finished = -5
    value = bytes(r.seal(r.QUEUE, after))
    damage(known, lambda tables, transaction: transaction.put(t.queue_key(1), value, db=tables.queues))
    assert "books" in [problem.kind for problem in repair(known)]
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
    assert repair(known) == []
    assert given(known.directory) == before


def test_it_is_all_or_nothing(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    damage(known, flip("pages"))
    before = [problem.text for problem in problems(known.directory)]
    monkeypatch.setattr(Quarantine, "sync", lambda self: (_ for _ in ()).throw(OSError("the disk is gone")))
    content = known.file.read_bytes()
    with pytest.raises(OSError, match="gone"):
        rewrite(known.directory, NOW, False)
    assert known.file.read_bytes() == content
    assert [problem.text for problem in problems(known.directory)] == before
