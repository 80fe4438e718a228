"""A byte is flipped, anywhere: what can be read is given as it was, and what can't is told of."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import traceback
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from hub.message import Message
from hub.store import records as r
from hub.store.fsck.aside import Aside
from hub.store.fsck.image import Image
from hub.store.fsck.problem import Problem
from hub.store.fsck.rescue import Rescued, rescue
from hub.store.fsck.structure import Structure
from hub.store.fsck.survey import Survey, mended, rescued, survey
from tests.unit.store.known import Known, edit, given

FULL = os.environ.get("HUBBUB_FAULTS") == "full"
"""Whether every byte is flipped, which takes half an hour, and not one of some hundreds."""
STRIDE = 1 if FULL else 311
LARGEST = 3
"""Messages of one page: what one damaged byte may cost a queue."""
NOW = 1_700_000_000.0
Messages = dict[str, dict[int, Message]]


class Content(NamedTuple):
    """Of a store. :ivar all: messages that there ever were. :ivar waiting: those that are not settled."""

    file: bytes
    all: Messages
    waiting: Messages


def content_of(known: Known) -> Content:
    known.close()
    waiting = {name: {at: known.messages[name][at] for at in open_} for name, open_ in known.open.items()}
    with Image(known.file) as image:
        used = (Structure(image).last_page + 1) * 4096
    return Content(known.file.read_bytes()[:used], known.messages, waiting)


@pytest.fixture
def content(tmp_path: Path) -> Content:
    folder = tmp_path / "whole"
    folder.mkdir()
    known = Known(folder, seed=3)
    known.some(steps=10)
    return content_of(known)


class Mended(NamedTuple):
    """What ``hubbub fsck --repair`` does, in this process."""

    before: Survey
    problems: list[Problem]
    rescued: Rescued | None


def repair(directory: Path) -> Mended:
    before = survey(directory)
    if not before.problems:
        return Mended(before, [], None)
    if before.broken:
        made = rescued(directory, NOW, False)
        assert made.left == []
        return Mended(before, made.problems, made)
    outcome = mended(directory, NOW, False)
    assert outcome.left == []
    return Mended(before, outcome.problems, None)


def put(directory: Path, file: bytes) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    (directory / "log.mdb").write_bytes(file)


def verdict(directory: Path, content: Content, most: int = 1_000_000) -> tuple[str, list[str]]:
    """What became of it, and whatever is wrong with that. :param most: that a queue may lose."""
    mended = repair(directory)
    wrong = [f"found after the repair: {problem.text}" for problem in survey(directory).problems]
    found = given(directory, tuple(content.all))
    counted = counted_as_lost(directory)
    rebuilt = any(problem.table == "queues" for problem in mended.problems) or (mended.rescued and mended.rescued.notes)
    names = {name for problem in mended.problems for name in content.all if repr(name) in problem.text}
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
    kind = "rescued" if mended.rescued else "mended" if mended.problems else "harmless"
    return f"{kind}, {'messages lost' if lost else 'nothing lost'}", wrong


def counted_as_lost(directory: Path) -> dict[str, int]:
    tables = edit(directory)
    with tables.reading() as transaction:
        values = [bytes(value) for _, value in transaction.cursor(tables.queues).iternext()]
    tables.close()
    records = [r.unseal(r.QUEUE, r.queues, value) for value in values]
    return {record.name: record.counters.dropped_damaged for record in records}


def try_all(sender: Connection, directory: Path, content: Content, offsets: list[int]) -> None:
    """In a process of its own: a crash must not end the tests."""
    for offset in offsets:
        for mask in (0x01, 0xFF):
            sender.send(("at", offset, mask))
            file = bytearray(content.file)
            file[offset] ^= mask
            put(directory, bytes(file))
            try:
                sender.send(("done", *verdict(directory, content, LARGEST)))
            except Exception:
                sender.send(("done", "failed", [traceback.format_exc()]))
    sender.send(("end",))


def flips(directory: Path, content: Content, offsets: list[int]) -> Iterator[tuple[int, int, str, list[str]]]:
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=try_all, args=(sender, directory, content, offsets), daemon=True)
    process.start()
    sender.close()
    offset = mask = -1
    try:
        while (said := receiver.recv())[0] != "end":
            if said[0] == "at":
                _, offset, mask = said
            else:
                yield offset, mask, said[1], said[2]
    except EOFError:
        process.join(10)
        yield offset, mask, "crashed", [f"the process died: {process.exitcode}"]
    process.join(10)


@pytest.mark.timeout(7200 if FULL else 120)
def test_a_flipped_byte_never_changes_a_message(tmp_path: Path, content: Content) -> None:
    start = random.Random(content.file).randrange(STRIDE) if not FULL else 0
    used = len(content.file.rstrip(b"\0"))  # the rest of the file is a reserve
    offsets = list(range(start, used, STRIDE))
    wrong, kinds = [], set()
    for offset, mask, kind, texts in flips(tmp_path / "damaged", content, offsets):
        kinds.add(kind)
        wrong += [f"{offset} ^ {mask:#x} ({kind}): {text}" for text in texts]
    assert wrong == []
    assert {"harmless, nothing lost", "rescued, nothing lost", "mended, messages lost"} <= kinds


def test_what_is_in_no_use_may_be_anything(tmp_path: Path, content: Content) -> None:
    """The space between the rows' places and the rows of a leaf."""
    file = bytearray(content.file)
    gaps = 0
    for page in range(2, len(file) // 4096):
        at = page * 4096
        if int.from_bytes(file[at : at + 8], "little") == page and file[at + 10] == 2:
            lower, upper = (int.from_bytes(file[at + place : at + place + 2], "little") for place in (12, 14))
            file[at + lower : at + upper] = b"\xa5" * (upper - lower)
            gaps += upper - lower
    assert gaps > 10_000
    put(tmp_path / "damaged", bytes(file))
    assert verdict(tmp_path / "damaged", content) == ("harmless, nothing lost", [])


@pytest.mark.parametrize("seed", range(6))
def test_whole_blocks_of_zeros_never_change_a_message(tmp_path: Path, content: Content, seed: int) -> None:
    choose = random.Random(seed)
    file = bytearray(content.file)
    for _ in range(seed + 1):
        page = choose.randrange(2, len(file) // 4096)
        file[page * 4096 : (page + 1) * 4096] = bytes(4096)
    put(tmp_path / "damaged", bytes(file))
    assert verdict(tmp_path / "damaged", content)[1] == []


@pytest.mark.parametrize("pages", [0, 1, 2, 3, 10, 20])
def test_a_file_that_was_cut_gives_what_is_left_in_it(tmp_path: Path, content: Content, pages: int) -> None:
    put(tmp_path / "damaged", content.file[: pages * 4096 + 100 * (pages > 0)])
    mended = repair(tmp_path / "damaged")
    assert mended.rescued is not None
    found = given(tmp_path / "damaged", tuple(content.all))
    for name, messages in found.items():
        assert messages.items() <= content.all.get(name, messages).items()


def test_both_first_pages_may_be_gone(tmp_path: Path, content: Content) -> None:
    put(tmp_path / "damaged", bytes(8192) + content.file[8192:])
    mended = repair(tmp_path / "damaged")
    found = given(tmp_path / "damaged", tuple(content.all))
    assert mended.rescued is not None
    assert {name: part.found for name, part in mended.rescued.queues.items()} == {
        name: len(messages) for name, messages in content.waiting.items()
    }
    assert found == content.waiting
    assert mended.rescued.notes


def test_the_old_file_is_kept(tmp_path: Path, content: Content) -> None:
    put(tmp_path / "damaged", bytes(8192) + content.file[8192:])
    (tmp_path / "damaged" / "log.mdb-lock").write_bytes(b"of the old one")
    made = rescue(tmp_path / "damaged", Aside(tmp_path / "damaged", NOW), False)
    assert made.old == tmp_path / "damaged" / "damaged" / "log.mdb.20231114T221320Z"
    assert made.old.read_bytes() == bytes(8192) + content.file[8192:]
    assert sorted(path.name for path in (tmp_path / "damaged").iterdir()) == ["damaged", "log.mdb"]


def test_messages_that_are_gone_are_counted(tmp_path: Path, content: Content) -> None:
    """Their overflow pages, and the tree's root too, so that there has to be a rescue."""
    file = bytearray(content.file)
    victim = next(message for message in content.waiting["alpha"].values() if len(message.body) > 5000)
    at = bytes(file).rfind(victim.body)
    file[at + 10] ^= 1
    put(tmp_path / "damaged", bytes(8192) + bytes(file[8192:]))
    mended = repair(tmp_path / "damaged")
    assert mended.rescued is not None
    assert mended.rescued.queues["alpha"].missing > 0
    assert "missing" in {problem.kind for problem in mended.problems}
    assert verdict(tmp_path / "damaged", content)[0] == "harmless, messages lost"


def test_a_rescue_that_fails_leaves_all_as_it_was(
    tmp_path: Path, content: Content, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "damaged", bytes(8192) + content.file[8192:])

    def fail(*arguments: Any) -> None:
        raise OSError("no space")

    failing: Callable[..., None] = fail
    monkeypatch.setattr("hub.store.fsck.rescue._exchange", failing)
    with pytest.raises(OSError, match="no space"):
        rescue(tmp_path / "damaged", Aside(tmp_path / "damaged", NOW), False)
    assert [path.name for path in (tmp_path / "damaged").iterdir()] == ["log.mdb"]
    assert (tmp_path / "damaged" / "log.mdb").read_bytes() == bytes(8192) + content.file[8192:]


def test_kept_messages_stay_kept(tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    known = Known(tmp_path / "whole", keep=3600.0)
    known.some()
    content = content_of(known)
    counts = dict(survey(known.directory).counts)
    put(tmp_path / "damaged", content.file[:8192] + content.file[8192:])
    file = tmp_path / "damaged" / "log.mdb"
    made = rescue(file.parent, Aside(file.parent, NOW), True)
    assert made.problems == []
    assert survey(file.parent).counts == counts
    assert counts["spent"] > 0
