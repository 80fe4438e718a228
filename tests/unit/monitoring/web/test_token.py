"""The token and its file."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from hub.errors import ConfigError
from hub.monitoring.web.static import DIRECTORY
from hub.monitoring.web.token import FORM, TokenFile, create, read
from tests.support import require_root


def prepared(path: Path) -> tuple[TokenFile, list[str]]:
    complaints: list[str] = []
    token = TokenFile(path, complaints.append)
    token.prepare()
    return token, complaints


def test_a_missing_one_is_made_for_the_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "web.token"
    before = os.umask(0)
    try:
        token, _ = prepared(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text().strip()
    assert len(text) == 43
    assert token.matches(text.encode())
    assert os.listdir(tmp_path) == ["web.token"]


def test_two_are_not_alike(tmp_path: Path) -> None:
    assert create(tmp_path / "a") != create(tmp_path / "b")


def test_only_the_whole_token_matches(tmp_path: Path) -> None:
    path = tmp_path / "web.token"
    token, _ = prepared(path)
    right = path.read_bytes().strip()
    for wrong in (b"", right[:-1], right + b"x", right.swapcase(), b"\xff" * 43):
        assert not token.matches(wrong)


def test_one_that_is_there_is_used(tmp_path: Path) -> None:
    path = tmp_path / "web.token"
    first = create(path)
    token, _ = prepared(path)
    assert token.matches(first.encode())
    with pytest.raises(FileExistsError):
        create(path)
    assert read(path) == first


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o777])
def test_one_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "web.token"
    create(path)
    path.chmod(mode)
    with pytest.raises(ConfigError, match="chmod 600"):
        prepared(path)


@pytest.mark.parametrize("content", [b"", b"short\n", b"x" * 600, b"with space " * 5, b"\xff" * 50, b"a" * 40 + b"\nb"])
def test_one_that_holds_no_token_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "web.token"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="holds no token") as refused:
        prepared(path)
    assert "short" not in str(refused.value)


def test_the_page_takes_what_the_hub_takes() -> None:
    script = (DIRECTORY / "js" / "model" / "token.js").read_text(encoding="utf-8")
    assert f"FORM = /^{FORM.pattern}$/;" in script


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo", 0o600)
    with pytest.raises(ConfigError, match="not a file"):
        prepared(tmp_path / "fifo")


def test_a_place_where_none_can_be_is_an_error_of_configuration() -> None:
    with pytest.raises(ConfigError, match="can't be made"):
        prepared(Path("/proc/nowhere/web.token"))


def test_a_new_one_holds_at_once_and_the_old_one_no_more(tmp_path: Path) -> None:
    path = tmp_path / "web.token"
    token, complaints = prepared(path)
    old = read(path)
    new = create(path, replace=True)
    assert token.matches(new.encode())
    assert not token.matches(old.encode())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert complaints == []


def test_without_its_file_nobody_is_let_in_and_it_is_said_once(tmp_path: Path) -> None:
    path = tmp_path / "web.token"
    token, complaints = prepared(path)
    right = read(path)
    path.rename(tmp_path / "away")
    assert not token.matches(right.encode())
    assert not token.matches(right.encode())
    assert len(complaints) == 1
    (tmp_path / "away").rename(path)
    assert token.matches(right.encode())


def test_a_file_that_was_opened_to_others_lets_nobody_in(tmp_path: Path) -> None:
    path = tmp_path / "web.token"
    token, complaints = prepared(path)
    path.chmod(0o644)
    assert not token.matches(read_anyway(path))
    assert "chmod 600" in complaints[0]
    assert read_anyway(path).decode() not in complaints[0]


def read_anyway(path: Path) -> bytes:
    return path.read_bytes().strip()


def test_a_new_one_belongs_to_whom_the_old_one_belonged(tmp_path: Path) -> None:
    require_root("gives files away")
    path = tmp_path / "web.token"
    create(path)
    os.chown(path, 12345, 12345)
    create(path, replace=True)
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 12345)


def test_a_new_token_is_written_before_it_is_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a power cut leaves an empty file."""
    sizes: list[int] = []
    monkeypatch.setattr("hub.monitoring.web.token.os.fsync", lambda fd: sizes.append(os.fstat(fd).st_size))
    token = create(tmp_path / "web.token")
    assert sizes[0] == len(token) + 1
