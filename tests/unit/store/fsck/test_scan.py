"""Records are found wherever they lie."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from hub.message import Message
from hub.stats.counters import Counters
from hub.store import records as r
from hub.store.fsck import scan
from hub.store.fsck.image import Image
from hub.store.fsck.remains import Remains
from hub.store.records import QueueRecord


def queue(number: int, created_at: float, commit: int) -> QueueRecord:
    return QueueRecord(number, f"q{number}", created_at, 0, 0, [], Counters(), 0, 1, 0, 0, commit)


def sealed(record: QueueRecord) -> bytes:
    return bytes(r.seal(r.QUEUE, record))


def page(body: bytes) -> bytes:
    return bytes(r.seal(r.PAGE, r.Page.of(1, 5.0, [Message("1", "t", body)], [])))


def found(path: Path, content: bytes) -> list[tuple[bytes, int]]:
    path.write_bytes(content)
    with Image(path) as image:
        return [(one.kind, one.offset) for one in scan.scan(image)]


@pytest.mark.parametrize("at", [0, 1, 4090, 4099])
def test_a_record_anywhere(tmp_path: Path, at: int) -> None:
    content = bytes(at) + sealed(queue(1, 1.0, 1)) + b"\xf5hub" + sealed(queue(2, 1.0, 1)) + b"\xf5hu"
    assert [kind for kind, _ in found(tmp_path / "f", content)] == [r.QUEUE, r.QUEUE]


@pytest.mark.parametrize("size", [1, 5, 13, 14, 64, 1000])
def test_whatever_is_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(scan, "AT_ONCE", size)
    records = [sealed(queue(number, 1.0, 1)) for number in range(1, 30)]
    content = b"".join(b"\xf5" * (number % 7) + record for number, record in enumerate(records))
    if size > 4:
        assert len(found(tmp_path / "f", content)) == len(records)


def test_a_damaged_record_hides_no_other(tmp_path: Path) -> None:
    damaged = bytearray(sealed(queue(1, 1.0, 1)))
    damaged[10] ^= 0x80
    assert found(tmp_path / "f", bytes(damaged) + sealed(queue(2, 1.0, 1))) == [(r.QUEUE, len(damaged))]


def test_what_lies_in_a_message_is_no_record(tmp_path: Path) -> None:
    content = page(b"a copy: " + sealed(queue(1, 9.0, 9)) + page(b"x")) + sealed(queue(2, 1.0, 1))
    assert [kind for kind, _ in found(tmp_path / "f", content)] == [r.PAGE, r.QUEUE]


def test_a_large_record_is_found(tmp_path: Path) -> None:
    content = bytes(5) + page(bytes(3 << 20)) + sealed(queue(1, 1.0, 1))
    assert [kind for kind, _ in found(tmp_path / "f", content)] == [r.PAGE, r.QUEUE]
    assert found(tmp_path / "f", content[:-400_000])[:1] == []


def test_the_newest_record_of_a_queue(tmp_path: Path) -> None:
    """Of two queues with one number, the one that was made last."""
    records = [queue(1, 1.0, 7), queue(1, 1.0, 30), queue(1, 1.0, 8), queue(2, 1.0, 99), queue(2, 5.0, 1)]
    (tmp_path / "f").write_bytes(b"".join(map(sealed, records)))
    with Image(tmp_path / "f") as image:
        newest = Remains(image).queues
    assert {number: (one.created_at, one.commit) for number, one in newest.items()} == {1: (1.0, 30), 2: (5.0, 1)}


def test_what_the_disk_does_not_give_back_is_zeros(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "f").write_bytes(b"x" * 20_000)
    pread = os.pread

    def failing(descriptor: int, length: int, offset: int) -> bytes:
        if offset < 8192 + 4096 and offset + length > 8192:
            raise OSError(errno.EIO, "a bad sector")
        return pread(descriptor, length, offset)

    monkeypatch.setattr("hub.store.fsck.image.os.pread", failing)
    with Image(tmp_path / "f") as image:
        content: Any = image.read(5, 20_000)
        assert content == b"x" * (8192 - 5) + bytes(4096) + b"x" * (20_000 - 8192 - 4096)
        assert image.unreadable == {8192}
