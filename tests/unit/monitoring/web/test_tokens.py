"""Named tokens."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hub.errors import ConfigError
from hub.monitoring.web.tokens import NamedTokens, add, read, remove, tokens_path
from tests.support import require_root


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tokens_path(tmp_path / "web.token")


def test_one_is_found_by_what_it_is_until_it_is_over(path: Path) -> None:
    token = add(path, "grafana", ["numbers"], now=1000.0, lasts=60.0).encode()
    named = NamedTokens(path, pytest.fail)
    found = named.find(token, 1059.0)
    assert found is not None
    assert (found.name, found.rights) == ("grafana", ["numbers"])
    assert named.find(token, 1060.0) is None
    assert named.find(token[:-1], 1000.0) is None
    assert named.find(b"", 1000.0) is None


def test_one_is_good_and_good_no_more_at_once(path: Path) -> None:
    named = NamedTokens(path, pytest.fail)
    token = add(path, "a", ["actions"], 0.0, None).encode()
    assert named.find(token, 1e9) is not None
    remove(path, "a")
    assert named.find(token, 0.0) is None


def test_a_name_is_used_once_but_again_when_the_old_one_is_over(path: Path) -> None:
    add(path, "a", ["numbers"], 0.0, 10.0)
    with pytest.raises(ConfigError, match="already"):
        add(path, "a", ["numbers"], 5.0, None)
    add(path, "a", ["actions"], 10.0, None)
    assert [(one.name, one.rights) for one in read(path)] == [("a", ["actions"])]


@pytest.mark.parametrize("name", ["", "a b", "x" * 33, "a/b", "-a", "\u202e"])
def test_names_are_plain(path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="name"):
        add(path, name, ["numbers"], 0.0, None)


def test_an_unknown_one_is_not_removed(path: Path) -> None:
    add(path, "a", ["numbers"], 0.0, None)
    with pytest.raises(ConfigError, match="there are: a"):
        remove(path, "b")


def test_the_file_is_its_owners_alone(path: Path) -> None:
    token = add(path, "a", ["numbers"], 0.0, None)
    assert path.stat().st_mode & 0o777 == 0o600
    complaints: list[str] = []
    path.chmod(0o640)
    named = NamedTokens(path, complaints.append)
    assert named.find(token.encode(), 0.0) is None
    assert named.find(token.encode(), 0.0) is None
    assert len(complaints) == 1
    assert "chmod 600" in complaints[0]


@pytest.mark.parametrize("content", ["", "{}", "[1]", '[{"name": "a"}]'])
def test_a_file_that_makes_no_sense_lets_nobody_in(path: Path, content: str) -> None:
    path.write_text(content)
    path.chmod(0o600)
    complaints: list[str] = []
    assert NamedTokens(path, complaints.append).find(b"x", 0.0) is None
    assert "can't be parsed" in complaints[0]


def test_nor_does_another_users(path: Path) -> None:
    require_root("gives files away")
    token = add(path, "a", ["actions"], 0.0, None)
    os.chown(path, 54321, -1)
    complaints: list[str] = []
    assert NamedTokens(path, complaints.append).find(token.encode(), 0.0) is None
    assert "belongs to uid 54321" in complaints[0]
