"""Files of the state directory. That root becomes its owner is in tests/system/test_root_commands.py."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from unittest.mock import Mock

import pytest

from hub import statefiles
from hub.control.audit import Audit
from hub.control.holds import Holds
from hub.errors import ConfigError, Unavailable
from hub.monitoring.web.history import lasting_spikes
from hub.monitoring.web.history_file import HistoryFile
from hub.statefiles import as_owner, check_directory, check_file, open_file, write_whole
from hub.statelock import StateLock
from hub.store.fsck.image import Image
from hub.store.in_flight_file import InFlightFile
from hub.store.tables import Tables
from tests.support import require_root
from tests.unit.control.test_holds import member

STRANGER = 54321


def test_a_file_is_made_for_its_owner_alone_and_not_handed_on(tmp_path: Path) -> None:
    descriptor = open_file(tmp_path / "new", os.O_WRONLY | os.O_CREAT)
    assert os.fstat(descriptor).st_mode & 0o777 == 0o600
    assert not os.get_inheritable(descriptor)
    os.close(descriptor)


def test_one_that_is_there_is_emptied_only_when_it_has_been_looked_at(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_text("precious")
    link.symlink_to(file)
    with pytest.raises(OSError, match="symbolic link"):
        open_file(link, os.O_WRONLY | os.O_TRUNC)
    assert file.read_text() == "precious"
    os.close(open_file(file, os.O_WRONLY | os.O_TRUNC))
    assert file.read_text() == ""


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="is not a file"):
        open_file(tmp_path / "pipe", os.O_RDWR)
    with pytest.raises(OSError, match="is not a file"):
        check_file(tmp_path / "pipe")


def test_a_library_is_not_given_a_link(tmp_path: Path) -> None:
    check_file(tmp_path / "missing")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="not followed"):
        check_file(tmp_path / "link")


def test_a_strangers_file_is_refused(tmp_path: Path) -> None:
    require_root("gives files away")
    (tmp_path / "file").write_text("")
    os.chown(tmp_path / "file", STRANGER, -1)
    with pytest.raises(PermissionError, match=f"belongs to uid {STRANGER}"):
        open_file(tmp_path / "file", os.O_RDONLY)
    os.chown(tmp_path, STRANGER, -1)  # now it is the directory's owner's
    os.close(open_file(tmp_path / "file", os.O_RDONLY))


def _audit(directory: Path) -> None:
    Audit(directory / "audit.log", lambda: 0.0).note("ann", "pause", None, "done")


def _holds(directory: Path) -> None:
    Holds(directory / "orders.json", lambda: 0.0).drain(member("c"))


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("lock", StateLock),
        ("audit.log", _audit),
        ("orders.json", _holds),
        ("hands", InFlightFile),
        ("log.mdb", Tables),
        ("log.mdb-lock", Tables),
        ("log.mdb", lambda directory: Image(directory / "log.mdb")),
        ("history.db", lambda directory: HistoryFile(directory / "history.db").transact(lasting_spikes)),
    ],
)
def test_the_hub_writes_through_no_link(tmp_path: Path, name: str, use: Callable[[Path], object]) -> None:
    state, precious = tmp_path / "state", tmp_path / "precious"
    state.mkdir()
    precious.write_text("precious")
    for target in (precious, tmp_path / "made"):
        (state / name).symlink_to(target)
        with suppress(OSError, ConfigError):  # the history and the orders log it instead
            use(state)
        assert precious.read_text() == "precious"
        assert not (tmp_path / "made").exists()
        (state / name).unlink(missing_ok=True)


def test_a_file_is_written_whole_or_stays_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_whole(tmp_path / "file", b"first")
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600
    monkeypatch.setattr("os.fsync", Mock(side_effect=OSError("the disk is gone")))
    with pytest.raises(OSError, match="the disk is gone"):
        write_whole(tmp_path / "file", b"second")
    monkeypatch.undo()
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"first")]
    write_whole(tmp_path / "file", b"third")
    assert (tmp_path / "file").read_bytes() == b"third"


def test_a_state_directory_that_others_may_write_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(ConfigError, match=r"hub\.state_dir: .* can be written by every user"):
        StateLock(tmp_path)
    assert not (tmp_path / "lock").exists()
    tmp_path.chmod(0o755)
    check_directory(tmp_path / "not-made-yet")
    StateLock(tmp_path).release()


def test_so_is_a_strangers(tmp_path: Path) -> None:
    require_root("gives files away")
    os.chown(tmp_path, STRANGER, -1)
    with pytest.raises(ConfigError, match=f"belongs to uid {STRANGER}.*run this as uid {STRANGER}"):
        StateLock(tmp_path)


def test_an_ordinary_users_command_stays_what_it_is(tmp_path: Path) -> None:
    before = os.geteuid()
    assert as_owner(tmp_path) == tmp_path
    assert as_owner(tmp_path / "missing") == tmp_path / "missing"
    assert os.geteuid() == before


def test_where_nobody_can_become_the_owner_root_does_not_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require_root("gives directories away")

    def refuse(uid: int, _gid: int) -> None:
        raise Unavailable(f"nobody can be {uid}")

    os.chown(tmp_path, STRANGER, STRANGER)
    monkeypatch.setattr(statefiles, "_become", refuse)
    before = os.getcwd()
    try:
        with pytest.raises(Unavailable, match="nobody can be"):
            statefiles.owner_reaches(tmp_path)
    finally:
        os.chdir(before)
