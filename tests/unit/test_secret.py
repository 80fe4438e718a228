"""Secrets are named by their place, and known by the names of settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.errors import ConfigError
from hub.secret import Secret, named_secret


def test_a_secret_is_read_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "db").write_text("hunter2\n")
    assert Secret(f"file:{tmp_path}/db").read() == "hunter2"
    with pytest.raises(ConfigError, match="CREDENTIALS_DIRECTORY"):
        Secret("credential:db").read()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert Secret("credential:db").read() == "hunter2"
    with pytest.raises(ConfigError, match="can't be read"):
        Secret("credential:other").read()


@pytest.mark.parametrize("name", ["password", "DB_PASSWD", "api_key", "auth", "bearer", "signing-key"])
def test_a_name_tells_a_secret(name: str) -> None:
    assert named_secret(name)


@pytest.mark.parametrize("name", ["author", "keys", "monkey", "database"])
def test_other_names_do_not(name: str) -> None:
    assert not named_secret(name)


def test_its_state_is_that_of_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = Secret(f"file:{tmp_path}/db")
    assert secret.state() is None
    (tmp_path / "db").write_text("one")
    one = secret.state()
    assert one is not None
    assert secret.state() == one
    (tmp_path / "db").write_text("another")
    assert secret.state() != one
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert Secret("credential:db").state() is None
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert Secret("credential:db").state() == secret.state()
