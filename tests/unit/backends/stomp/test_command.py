"""``hubbub stomp``: the configuration that it writes, and its users."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from hub.backends.stomp import command
from hub.backends.stomp.login import read_users
from hub.configuration.loading import load


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files of hubs that would have been run."""
    files: list[Path] = []
    monkeypatch.setattr(command, "run_hub", files.append)
    return files


def invoke(*arguments: str, input: str = "") -> str:
    result = CliRunner().invoke(command.stomp, arguments, input=input, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_hub_that_is_only_that(tmp_path: Path, started: list[Path]) -> None:
    output = invoke("--state-dir", str(tmp_path / "a state"))
    (file,) = started
    configuration = load(file)
    assert configuration.state_dir == tmp_path / "a state"
    assert [part.plugin.cls.__name__ for part in configuration.of("backends").values()] == ["StompServer"]
    assert configuration.of("backends")["stomp"].config.listen == ["127.0.0.1:61613"]
    assert f"hubbub status -c {file}" in output


def test_its_options_are_those_of_the_configuration(tmp_path: Path, started: list[Path]) -> None:
    invoke("passwd", str(tmp_path / "users"), "alice", input="one\n")
    listen = ["127.0.0.1:61000", f"unix:{tmp_path}/s"]
    given = [part for address in listen for part in ("--listen", address)]
    invoke("--state-dir", str(tmp_path), *given, "--users-file", str(tmp_path / "users"))
    invoke("--state-dir", str(tmp_path), *given, "--users-file", str(tmp_path / "users"), "--keep", "2h")
    assert [load(file).hub.keep for file in started[1:]] == [7200.0]
    config = load(started[1]).of("backends")["stomp"].config
    assert (config.listen, config.users_file) == (listen, tmp_path / "users")


def test_users_are_set_and_removed(tmp_path: Path) -> None:
    file = tmp_path / "users"
    for name, password in (("alice", "one"), ("bob", "two"), ("alice", "three")):
        invoke("passwd", str(file), name, input=f"{password}\n")
    assert read_users(file)["alice"].matches("three")
    invoke("passwd", str(file), "alice", "--remove")
    assert list(read_users(file)) == ["bob"]


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"STATE_DIRECTORY": "/var/lib/x:/var/lib/y"}, Path("/var/lib/x")),
        ({"XDG_STATE_HOME": "/state"}, Path("/state/hubbub-stomp")),
        ({"XDG_STATE_HOME": "relative"}, Path.home() / ".local/state/hubbub-stomp"),
        ({}, Path.home() / ".local/state/hubbub-stomp"),
    ],
)
def test_its_state_is_where_a_user_keeps_such_things(environ: dict[str, str], expected: Path) -> None:
    assert command.default_state_dir(environ) == expected
