"""A file that is damaged is refused in words, also where LMDB would end the process, or begin anew."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import lmdb
import pytest

from hub.errors import ConfigError
from hub.store.durable import DurableStore
from hub.store.fsck.rows import UnreadableError
from hub.store.opening import MARKER, NEW, refusal
from hub.store.tables import FILE
from tests.support import ROOT
from tests.unit.doubles import RecordingLog
from tests.unit.store.known import Known, given

OPEN = (
    "import logging, sys; from pathlib import Path; from hub.store.durable import DurableStore; "
    "DurableStore(Path(sys.argv[1]), logging.LoggerAdapter(logging.getLogger('x'), {}), threaded=False)"
)


def attempt(directory: Path, before: str = "") -> subprocess.CompletedProcess[str]:
    """In a process of its own, which may be killed by what it maps."""
    return subprocess.run(
        [sys.executable, "-c", before + OPEN, str(directory)], capture_output=True, text=True, check=False, cwd=ROOT
    )


def refused(known: Known, content: bytes, *words: str) -> None:
    """In words, with nothing changed."""
    known.file.write_bytes(content)
    done = attempt(known.directory)
    assert "ConfigError" in done.stderr, done
    assert all(word in done.stderr for word in words), done.stderr
    assert known.file.read_bytes() == content
    assert not (known.directory / MARKER).exists()


def test_an_empty_file_is_told_and_no_new_beginning(known: Known) -> None:
    refused(known, b"", "is empty", "backup", "remove the file")


def test_a_file_that_is_gone_is_told_and_a_new_one_begins(known: Known) -> None:
    known.file.unlink()
    log = RecordingLog()
    DurableStore(known.directory, log, threaded=False).close()
    assert any("is missing" in line for line in log.lines())


@pytest.mark.parametrize("size", [1, 4096, 5000, 8192, 3 * 4096])
def test_a_truncated_file_is_told(known: Known, size: int) -> None:
    refused(known, known.file.read_bytes()[:size], "can't be opened", "fsck --repair")


def test_so_is_one_that_lost_its_second_half(known: Known) -> None:
    content = known.file.read_bytes()
    used = len(content.rstrip(b"\0"))
    refused(known, content[: used // 2], "can't be opened", "fsck --repair")


@pytest.mark.parametrize("page", [0, 1])
def test_a_damaged_first_page_is_told(known: Known, page: int) -> None:
    content = bytearray(known.file.read_bytes())
    content[page * 4096 + 16] ^= 0xFF
    refused(known, bytes(content), "can't be opened", "fsck")


KILLED = "import os, hub.store.durable as d; d.recover = lambda tables: os._exit(9); "
UNREADABLE = "import hub.store.fsck.rows as r; from tests.unit.store.test_opening import {0}; r.walk = {0}; "


def dying(path: Path) -> Iterator[str]:
    """As if LMDB crashed."""
    yield "pages"
    os.kill(os.getpid(), signal.SIGSEGV)


def failing(path: Path) -> Iterator[str]:
    yield "pages"
    raise UnreadableError("the keys are not in order")


@pytest.mark.parametrize(("reader", "text"), [("dying", "died: SIGSEGV"), ("failing", "the keys are not in order")])
def test_what_ended_the_process_is_looked_at_the_next_time(known: Known, reader: str, text: str) -> None:
    """By another process, damage or not: LMDB does not notice all of it when it opens a file."""
    unreadable = UNREADABLE.format(reader)
    assert attempt(known.directory, unreadable).returncode == 0
    assert attempt(known.directory, unreadable + KILLED).returncode == 9
    second = attempt(known.directory, unreadable)
    assert "ConfigError" in second.stderr, second
    assert f"pages: {text}" in second.stderr.replace("the process that read it ", "")
    assert "hubbub fsck" in second.stderr


def test_what_did_not_end_it_is_opened_the_next_time(known: Known) -> None:
    assert attempt(known.directory, KILLED).returncode == 9
    assert (known.directory / MARKER).exists()
    assert attempt(known.directory).returncode == 0
    assert not (known.directory / MARKER).exists()


def test_an_error_of_lmdb_s_says_what_to_do(known: Known) -> None:
    content = bytearray(known.file.read_bytes())
    for page in (0, 1):
        root = page * 4096 + 40 + 48 + 40
        content[root : root + 8] = (1 << 36).to_bytes(8, "little")
    refused(known, bytes(content), "can't be opened", "hubbub fsck")


def test_an_attempt_that_was_killed_does_no_harm(known: Known) -> None:
    (known.directory / MARKER).touch()
    (known.directory / NEW).mkdir()
    (known.directory / NEW / FILE).write_bytes(b"half of a new store")
    before = {name: set(open_) for name, open_ in known.open.items()}
    assert {name: set(messages) for name, messages in given(known.directory).items()} == before
    assert not (known.directory / MARKER).exists()


def test_a_new_store_that_was_not_completed_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / NEW).mkdir()
    (tmp_path / NEW / FILE).write_bytes(b"")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hub.store.opening.migrate", _interrupted)
        with pytest.raises(InterruptedError):
            DurableStore(tmp_path, RecordingLog(), threaded=False)
    assert not (tmp_path / FILE).exists()
    DurableStore(tmp_path, RecordingLog(), threaded=False).close()
    assert (tmp_path / FILE).exists()
    assert not (tmp_path / NEW).exists()


def _interrupted(_: object) -> int:
    raise InterruptedError


def test_what_is_no_store_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"my diary\n" * 2000)
    with pytest.raises(ConfigError, match="no store; nothing was changed"):
        DurableStore(tmp_path, RecordingLog(), threaded=False)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (lmdb.MapFullError("full"), OSError),
        (lmdb.DiskError("no space"), OSError),
        (lmdb.CorruptedError("torn"), ConfigError),
        (lmdb.Error("other"), ConfigError),
    ],
)
def test_what_may_pass_is_no_damage(tmp_path: Path, error: lmdb.Error, kind: type[Exception]) -> None:
    """systemd starts the hub again after an OSError, and not after an error of the configuration."""
    assert type(refusal(tmp_path, error)) is kind


def test_nor_is_one_whose_number_says_so(tmp_path: Path) -> None:
    error = lmdb.Error("read-only")
    assert type(refusal(tmp_path, _numbered(error, errno.EROFS))) is OSError
    assert type(refusal(tmp_path, _numbered(error, -30796))) is ConfigError


def _numbered(error: lmdb.Error, code: int) -> lmdb.Error:
    error.__dict__["code"] = code
    return error
