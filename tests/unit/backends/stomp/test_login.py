"""Logins: hashed passwords in a file, and who is remembered."""

from __future__ import annotations

import logging
import stat
from pathlib import Path

import pytest

from hub.backends.stomp import login
from hub.backends.stomp.login import Hash, Users, UsersFile, read_users, write_user
from hub.errors import ConfigError
from tests.unit.backends.support import Lines


def test_a_hash_matches_its_password_alone_and_comes_back_from_its_text() -> None:
    hashed = Hash.of("s3cret:\N{SNOWMAN}")
    again = Hash.parse(str(hashed))
    assert again == hashed
    assert again.matches("s3cret:\N{SNOWMAN}")
    assert not again.matches("s3cret")
    assert "s3cret" not in str(hashed)


def test_it_is_scrypt_of_the_rfc() -> None:
    """The second test vector of RFC 7914, 12."""
    salt = b"NaCl"
    expected = "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
    assert login._scrypt("password", 1024, 8, 16, salt, 32).hex() == expected


def test_users_are_written_replaced_and_removed_and_comments_stay(tmp_path: Path) -> None:
    file = tmp_path / "users"
    file.write_text("# who may\n")
    write_user(file, "alice", "one")
    write_user(file, "bob", "two")
    write_user(file, "alice", "three")
    users = read_users(file)
    assert list(users) == ["bob", "alice"]
    assert users["alice"].matches("three")
    assert file.read_text().startswith("# who may\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    write_user(file, "alice", None)
    assert list(read_users(file)) == ["bob"]
    with pytest.raises(ConfigError, match="alice"):
        write_user(file, "alice", None)


@pytest.mark.parametrize("name", ["", "a b", "a:b", "#a", "*"])
def test_a_name_that_the_file_could_not_hold_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="name"):
        write_user(tmp_path / "users", name, "x")
    assert not (tmp_path / "users").exists()


def test_an_empty_password_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="password"):
        write_user(tmp_path / "users", "alice", "")


def test_all_wrong_lines_are_named_and_no_hash_is_shown(tmp_path: Path) -> None:
    good = str(Hash.of("x"))
    file = tmp_path / "users"
    huge = "scrypt:1073741824:8:1:AAAA:AAAA"
    file.write_text(f"a:{good}\nb:secret\nc:{huge}\nd:scrypt:16384:8:1:!:!\na:{good}\ne\n")
    with pytest.raises(ConfigError) as caught:
        read_users(file)
    assert [problem.split(": ")[1].rpartition(":")[2] for problem in caught.value.problems] == list("23456")
    assert "secret" not in str(caught.value)
    assert good not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no-file"):
        read_users(tmp_path / "no-file")


def test_who_was_right_once_needs_no_hash_again_by_the_same_users() -> None:
    users = Users({"alice": Hash.of("one")})
    assert not users.known("alice", "one")
    assert users.check("alice", "one")
    users.remember("alice", "one")
    assert users.known("alice", "one")
    assert not users.known("alice", "two")
    assert not users.known("bob", "one")
    users = Users({"alice": Hash.of("two")})  # as the file makes them when it has changed
    assert not users.known("alice", "one")
    assert not users.check("alice", "one")


def test_the_last_users_stay_while_their_file_can_not_be_used(tmp_path: Path) -> None:
    path, lines = tmp_path / "users", Lines()
    write_user(path, "alice", "one")
    logger = logging.Logger("test")
    logger.addHandler(lines)
    users = UsersFile(path, logging.LoggerAdapter(logger))
    first = users.current()
    assert users.current() is first
    path.write_text("alice:plain\n")
    assert users.current() is users.current() is first
    assert len(lines.texts) == 1
    assert "the last users stay" in lines.texts[0]
    assert "expected scrypt" in lines.texts[0]
    path.unlink()
    assert users.current() is first
    write_user(path, "ben", "two")
    assert users.current().check("ben", "two")
    assert not users.current().check("alice", "one")


def test_an_unknown_user_takes_as_long_as_a_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[str] = []
    users = Users({"alice": Hash.of("one")})
    monkeypatch.setattr(Hash, "matches", lambda self, passcode: computed.append(passcode))
    users.check("alice", "x")
    users.check("bob", "x")
    users.check("alice", "x" * 2000)
    assert len(computed) == 3
