"""A store is damaged: what can be read is given as it was, and what can't is told of."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from hub.message import Message
from hub.store import records as r
from hub.store import tables as t
from hub.store.fsck import rows
from hub.store.fsck.image import Image
from hub.store.fsck.problem import Problem
from hub.store.fsck.rewrite import SPARE, Rewritten, rewrite
from hub.store.fsck.rows import Pass, Row, UnreadableError, read_passes
from hub.store.fsck.scan import scan
from hub.store.fsck.survey import Survey, broken, check
from tests.unit.store.known import Known, counts, edit, given, problems

FULL = os.environ.get("HUBBUB_FAULTS") == "full"
"""True if every byte of a record is flipped, which takes long, and not one of some hundreds."""
STRIDE = 1 if FULL else 1511
LARGEST = 3
"""Messages of one page: what one damaged byte may cost a queue."""
NOW = 1_700_000_000.0
FIRST_PAGES = 8192
Messages = dict[str, dict[int, Message]]


class Content(NamedTuple):
    """Of a store. :ivar all: messages that there ever were. :ivar waiting: those that are not settled."""

    file: bytes
    all: Messages
    waiting: Messages


def content_of(known: Known) -> Content:
    known.close()
    waiting = {name: {at: known.messages[name][at] for at in open_} for name, open_ in known.open.items()}
    return Content(known.file.read_bytes(), known.messages, waiting)


@pytest.fixture
def content(tmp_path: Path) -> Content:
    folder = tmp_path / "whole"
    folder.mkdir()
    known = Known(folder, seed=3)
    known.some(steps=10)
    return content_of(known)


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows are read without a child process, which is faster."""
    monkeypatch.setattr(rows, "isolated", lambda work, *arguments: work(*arguments))


class Repaired(NamedTuple):
    """What ``hubbub fsck --repair`` does."""

    before: Survey
    problems: list[Problem]
    rewritten: Rewritten | None


def repair(directory: Path) -> Repaired:
    text = rows.damage(directory / t.FILE)
    before = Survey([broken(text)], {}) if text else next(iter(check(directory)))
    if not before.problems:
        return Repaired(before, [], None)
    made = rewrite(directory, NOW, False, before.used)
    assert made.left == []
    return Repaired(before, [*before.problems, *made.problems], made)


def put(directory: Path, file: bytes) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    (directory / "log.mdb").write_bytes(file)


def verdict(directory: Path, content: Content, most: int = 1_000_000) -> tuple[str, list[str]]:
    """What became of it, and whatever is wrong with that. :param most: that a queue may lose."""
    mended = repair(directory)
    wrong = [f"found after the repair: {problem.text}" for problem in problems(directory)]
    found = given(directory, tuple(content.all))
    counted = counted_as_lost(directory)
    rebuilt = any(problem.table in ("queues", "settled") for problem in mended.problems) or (
        mended.rewritten and mended.rewritten.notes
    )
    names = {name for problem in mended.problems for name in content.all if repr(name) in problem.text}
    numbers = numbers_of(directory)  # where the name can't be read, the number is told
    names |= {numbers[one.queue] for one in mended.problems if one.kind == "damaged" and one.queue in numbers}
    renamed = set(found) - set(content.all)
    lost = 0
    for name, wanted in content.waiting.items():
        wrong += [f"{name} {at}: wrong content" for at in found[name] if content.all[name].get(at) != found[name][at]]
        gone = wanted.keys() - found[name].keys()
        lost += len(gone)
        if len(gone) > most:
            wrong.append(f"{name}: {sorted(gone)} are gone: {mended.problems}")
        if gone and name not in names and not renamed:
            wrong.append(f"{name}: {sorted(gone)} are gone, and nobody says so: {mended.problems}")
        if counted.get(name, 0) != len(gone) and not rebuilt:
            wrong.append(f"{name}: {sorted(gone)} are gone, and {counted.get(name)} counted")
        again = found[name].keys() - wanted.keys()
        if again and not mended.problems:
            wrong.append(f"{name}: {sorted(again)} come again, and nobody says so")
    if renamed and not mended.problems:
        wrong.append(f"unknown queues: {renamed}")
    kind = "rescued" if mended.before.broken else "mended" if mended.problems else "harmless"
    return f"{kind}, {'messages lost' if lost else 'nothing lost'}", wrong


def queue_records(directory: Path) -> list[r.QueueRecord]:
    tables = edit(directory)
    with tables.reading() as transaction:
        values = [bytes(value) for _, value in transaction.cursor(tables.queues).iternext()]
    tables.close()
    return [r.unseal(r.QUEUE, r.queues, value) for value in values]


def counted_as_lost(directory: Path) -> dict[str, int]:
    return {record.name: record.counters.dropped_damaged for record in queue_records(directory)}


def numbers_of(directory: Path) -> dict[int, str]:
    return {record.number: record.name for record in queue_records(directory)}


def records_in(content: Content, directory: Path) -> list[range]:
    """Where they lie in the file, those that are not used any more too."""
    put(directory, content.file)
    with Image(directory / t.FILE) as image:
        return [range(found.offset, found.offset + found.length) for found in scan(image)]


@pytest.mark.timeout(7200 if FULL else 120)
@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize("first_pages", [True, False])
def test_a_flipped_byte_never_changes_a_message(tmp_path: Path, content: Content, first_pages: bool) -> None:
    """In any record, of a file that LMDB can read, and of one that it can't."""
    places = [at for record in records_in(content, tmp_path / "damaged") for at in record]
    start = random.Random(content.file).randrange(STRIDE) if not FULL else 0
    wrong, kinds = [], set()
    for offset in places[start::STRIDE]:
        for mask in (0x01, 0xFF):
            file = bytearray(content.file)
            file[offset] ^= mask
            if not first_pages:
                file[:FIRST_PAGES] = bytes(FIRST_PAGES)
            put(tmp_path / "damaged", bytes(file))
            kind, texts = verdict(tmp_path / "damaged", content, LARGEST)
            kinds.add(kind)
            wrong += [f"{offset} ^ {mask:#x} ({kind}): {text}" for text in texts]
    assert wrong == []
    if first_pages:
        assert {"harmless, nothing lost", "mended, messages lost"} <= kinds
    else:
        assert kinds == {"rescued, nothing lost", "rescued, messages lost"}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.usefixtures("in_process")
def test_zeros_in_records_never_change_a_message(tmp_path: Path, content: Content, seed: int) -> None:
    choose = random.Random(seed)
    found = records_in(content, tmp_path / "damaged")
    file = bytearray(content.file)
    for record in choose.sample(found, seed + 1):
        at = choose.randrange(record.start, record.stop)
        file[at : record.stop] = bytes(record.stop - at)
    put(tmp_path / "damaged", bytes(file))
    assert verdict(tmp_path / "damaged", content)[1] == []


@pytest.mark.parametrize("pages", [0, 1, 3, 20])
def test_a_file_that_was_cut_gives_what_is_left_in_it(tmp_path: Path, content: Content, pages: int) -> None:
    put(tmp_path / "damaged", content.file[: pages * 4096 + 100 * (pages > 0)])
    repaired = repair(tmp_path / "damaged")
    assert repaired.before.broken
    found = given(tmp_path / "damaged", tuple(content.all))
    for name, messages in found.items():
        assert messages.items() <= content.all.get(name, messages).items()


def test_both_first_pages_may_be_gone(tmp_path: Path, content: Content) -> None:
    put(tmp_path / "damaged", bytes(FIRST_PAGES) + content.file[FIRST_PAGES:])
    made = repair(tmp_path / "damaged").rewritten
    found = given(tmp_path / "damaged", tuple(content.all))
    assert made is not None
    assert {name: part.found for name, part in made.queues.items()} == {
        name: len(messages) for name, messages in content.waiting.items()
    }
    assert found == content.waiting
    assert made.notes


# -- a reader that gives up, or dies


def with_hole(
    table: str, low: bytes, high: bytes, dies: bool, path: Path, passes: Sequence[Pass]
) -> Iterator[Row | None]:
    """As if LMDB could not read the rows with these keys."""
    current = -1
    for row in read_passes(path, passes):
        current += row is None
        if row is not None and passes[current].table == table and low <= row[0] <= high:
            if dies:
                os._exit(9)
            raise UnreadableError("a hole")
        yield row


def holes(content: Content, directory: Path, table: str) -> Iterator[tuple[bytes, bytes]]:
    """Of one row each, and one of all rows but the first and the last."""
    put(directory, content.file)
    tables = edit(directory)
    with tables.reading() as transaction:
        keys = [bytes(key) for key in transaction.cursor(getattr(tables, table)).iternext(values=False)]
    tables.close()
    yield from ((key, key) for key in keys[:: max(1, len(keys) // 3)])
    if len(keys) > 2:
        yield keys[1], keys[-2]
    yield keys[0], keys[-1]


EXACT = {"pages", "index", "refs", "tries", "letters", "outbox", "meta"}
"""Tables without which every message is known as well."""


@pytest.mark.parametrize("dies", [True, False])
@pytest.mark.parametrize("table", sorted({*EXACT, "queues", "settled"}))
def test_what_can_not_be_read_of_a_table_is_found_elsewhere(
    tmp_path: Path, content: Content, monkeypatch: pytest.MonkeyPatch, table: str, dies: bool
) -> None:
    if not dies:
        monkeypatch.setattr(rows, "isolated", lambda work, *arguments: work(*arguments))
    for low, high in list(holes(content, tmp_path / "damaged", table))[-1 if dies else 0 :]:
        put(tmp_path / "damaged", content.file)
        monkeypatch.setattr(rows, "read_passes", partial(with_hole, table, low, high, dies))
        made = rewrite(tmp_path / "damaged", NOW, False)
        monkeypatch.undo() if dies else monkeypatch.setattr(rows, "read_passes", read_passes)
        assert (made.left, problems(tmp_path / "damaged")) == ([], [])
        (told,) = [problem.text for problem in made.problems if problem.kind == "structure"]
        assert told.startswith(f"the structure of the file is damaged: {table}: ")
        assert ("died: exit code 9" if dies else "a hole") in told
        found = given(tmp_path / "damaged", tuple(content.all))
        for name, messages in content.waiting.items():
            assert messages.items() <= found[name].items() <= content.all[name].items()
            assert messages == found[name] or table not in EXACT


# -- the new file


def test_the_old_file_is_kept(tmp_path: Path, content: Content) -> None:
    put(tmp_path / "damaged", bytes(FIRST_PAGES) + content.file[FIRST_PAGES:])
    (tmp_path / "damaged" / "log.mdb-lock").write_bytes(b"of the old one")
    made = rewrite(tmp_path / "damaged", NOW, False)
    assert made.old == tmp_path / "damaged" / "damaged" / "log.mdb.20231114T221320Z"
    assert made.old.read_bytes() == bytes(FIRST_PAGES) + content.file[FIRST_PAGES:]
    assert sorted(path.name for path in (tmp_path / "damaged").iterdir()) == ["damaged", "log.mdb"]


@pytest.mark.usefixtures("in_process")
def test_messages_that_are_gone_are_counted(tmp_path: Path, content: Content) -> None:
    """Their record, and the first pages too, so that LMDB can't read the file."""
    file = bytearray(content.file)
    victim = next(message for message in content.waiting["alpha"].values() if len(message.body) > 5000)
    at = bytes(file).rfind(victim.body)
    file[at + 10] ^= 1
    put(tmp_path / "damaged", bytes(FIRST_PAGES) + bytes(file[FIRST_PAGES:]))
    repaired = repair(tmp_path / "damaged")
    assert repaired.rewritten is not None
    assert repaired.rewritten.queues["alpha"].missing > 0
    assert "missing" in {problem.kind for problem in repaired.problems}
    assert verdict(tmp_path / "damaged", content)[0] == "harmless, messages lost"


def test_a_repair_that_fails_leaves_all_as_it_was(
    tmp_path: Path, content: Content, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "damaged", bytes(FIRST_PAGES) + content.file[FIRST_PAGES:])

    def fail(*arguments: Any) -> None:
        raise OSError("no space")

    failing: Callable[..., None] = fail
    monkeypatch.setattr("hub.store.fsck.rewrite._exchange", failing)
    with pytest.raises(OSError, match="no space"):
        rewrite(tmp_path / "damaged", NOW, False)
    assert [path.name for path in (tmp_path / "damaged").iterdir()] == ["log.mdb"]
    assert (tmp_path / "damaged" / "log.mdb").read_bytes() == bytes(FIRST_PAGES) + content.file[FIRST_PAGES:]


def test_a_disk_without_room_for_a_copy_is_told_before_anything_is_done(
    tmp_path: Path, content: Content, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "damaged", content.file)
    free = os.statvfs(tmp_path)
    room = free.f_bavail * free.f_frsize
    with pytest.raises(OSError, match=r"it needs \d+ MiB of disk space, and \d+ MiB are free") as raised:
        rewrite(tmp_path / "damaged", NOW, False, room * 2)
    assert raised.value.errno == 28
    assert [path.name for path in (tmp_path / "damaged").iterdir()] == ["log.mdb"]
    assert room > SPARE, "the other tests need some"


@pytest.mark.usefixtures("in_process")
def test_kept_messages_stay_kept(tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    known = Known(tmp_path / "whole", keep=3600.0)
    known.some()
    known.close()
    before = dict(counts(known.directory).counts)
    made = rewrite(known.directory, NOW, True)
    assert made.problems == []
    assert counts(known.directory).counts == before
    assert before["spent"] > 0
