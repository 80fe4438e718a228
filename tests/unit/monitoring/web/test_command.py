"""``hubbub web``."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from hub.errors import ConfigError, Unavailable
from hub.monitoring.web import tokens
from hub.monitoring.web.command import web
from hub.monitoring.web.login import Codes
from hub.monitoring.web.token import create, read


@pytest.fixture
def state(tmp_path: Path) -> Path:
    made = tmp_path / "state"
    made.mkdir()
    return made


def run(directory: Path, servers: str, *arguments: str) -> Result:
    file = directory / "hub.conf"
    file.write_text(f'[backends.bus]\ntype = "memory"\n{servers}')
    return CliRunner().invoke(web, [*arguments, "-c", str(file)])


def table(name: str = "web", **settings: Any) -> str:
    lines = "".join(f"{key} = {msgspec.json.encode(value).decode()}\n" for key, value in settings.items())
    return f'[servers.{name}]\ntype = "web"\n{lines}'


def test_it_shows_the_address_with_the_token(tmp_path: Path, state: Path) -> None:
    token = create(state / "web.token")
    shown = run(tmp_path, table())
    assert token not in shown.output
    start, _, code = shown.stdout.strip().partition("#code=")
    assert start == "http://127.0.0.1:9941/"
    assert Codes(lambda: time.time()).take(token.encode(), code.encode())
    assert "once, for a minute" in shown.stderr
    public = run(tmp_path, table(listen="0.0.0.0:80", public_hosts=["hub.example.org"])).output.splitlines()
    assert public[0].startswith("http://localhost:80/#code=")
    assert public[1].startswith("https://hub.example.org/#code=")


def test_json_for_programs(tmp_path: Path, state: Path) -> None:
    token = create(state / "web.token")
    found = msgspec.json.decode(run(tmp_path, table(), "--json").output)
    assert found == {"urls": ["http://127.0.0.1:9941/"], "socket": None, "token": token}
    found = msgspec.json.decode(run(tmp_path, table(listen="unix:/run/web.sock"), "--json").output)
    assert found == {"urls": [], "socket": "/run/web.sock", "token": None}


def test_a_new_token_takes_the_place_of_the_old_one(tmp_path: Path, state: Path) -> None:
    path = tmp_path / "other.token"
    old = create(path)
    output = run(tmp_path, table(token_file=str(path)), "--new-token").output
    assert read(path) != old
    code = output.partition("#code=")[2].split()[0]
    assert Codes(lambda: time.time()).take(read(path).encode(), code.encode())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (entry,) = [msgspec.json.decode(line) for line in (state / "audit.log").read_text().splitlines()]
    assert (entry["action"], entry["order"], entry["outcome"]) == ("new-token", {"server": "web"}, "done")
    assert entry["who"].endswith(f", pid {os.getpid()}")
    assert read(path) not in (state / "audit.log").read_text()


@pytest.mark.parametrize("arguments", [(), ("--new-token",)])
def test_before_the_hubs_first_start_there_is_none(tmp_path: Path, state: Path, arguments: tuple[str, ...]) -> None:
    refused = run(tmp_path, table(), *arguments)
    assert isinstance(refused.exception, Unavailable)
    assert "when it starts" in str(refused.exception)
    assert not (state / "web.token").exists()


def test_a_unix_socket_is_reached_by_curl_or_ssh(tmp_path: Path) -> None:
    server = table(listen="unix:/run/hubbub/web.sock")
    shown = run(tmp_path, server).output
    assert "curl --unix-socket /run/hubbub/web.sock http://localhost/" in shown
    assert "ssh -L 9941:/run/hubbub/web.sock" in shown
    assert isinstance(run(tmp_path, server, "--new-token").exception, ConfigError)


def test_of_several_one_can_be_chosen(tmp_path: Path, state: Path) -> None:
    create(state / "web.token")
    servers = table("a", listen="127.0.0.1:1111") + table("b", listen="127.0.0.1:2222")
    assert ":1111/" in run(tmp_path, servers).output
    assert ":2222/" in run(tmp_path, servers, "--server", "b").output
    refused = run(tmp_path, servers, "--server", "c")
    assert isinstance(refused.exception, ConfigError)
    assert "there are: a, b" in str(refused.exception)


def test_where_there_is_none_it_says_how_to_have_one(tmp_path: Path) -> None:
    refused = run(tmp_path, "")
    assert isinstance(refused.exception, ConfigError)
    assert "[servers.web]" in str(refused.exception)


# -- tokens with a name


def test_a_named_token_is_shown_once_and_listed_without_itself(tmp_path: Path, state: Path) -> None:
    create(state / "web.token")
    file = configured(tmp_path)
    made = CliRunner().invoke(
        web, ["add-token", "grafana", "--rights", "numbers,contents", "--expires", "30d", "-c", file]
    )
    token = made.stdout.strip()
    (one,) = tokens.read(state / "web.tokens")
    assert (one.name, one.rights) == ("grafana", ["numbers", "contents"])
    assert token not in (state / "web.tokens").read_text()
    assert one.expires is not None
    assert 29 * 86400 < one.expires - time.time() < 31 * 86400
    listed = CliRunner().invoke(web, ["tokens", "-c", file]).output
    assert listed.startswith("grafana ")
    assert "numbers, contents" in listed
    assert "until 20" in listed
    (row,) = msgspec.json.decode(CliRunner().invoke(web, ["tokens", "-c", file, "--json"]).output)
    assert (row["name"], row["good"], "sha256" in row) == ("grafana", True, False)
    assert CliRunner().invoke(web, ["remove-token", "grafana", "-c", file]).exit_code == 0
    assert "there are no named tokens" in CliRunner().invoke(web, ["tokens", "-c", file]).output
    audit = [msgspec.json.decode(line) for line in (state / "audit.log").read_text().splitlines()]
    assert [(entry["action"], entry["order"]["name"]) for entry in audit] == [
        ("add-token", "grafana"),
        ("remove-token", "grafana"),
    ]
    assert token not in (state / "audit.log").read_text()


@pytest.mark.parametrize("words", [["--rights", "all"], ["--expires", "soon"], ["--expires", "0"]])
def test_what_makes_no_sense_is_refused(tmp_path: Path, state: Path, words: list[str]) -> None:
    refused = CliRunner().invoke(web, ["add-token", "x", *words, "-c", configured(tmp_path)])
    assert refused.exit_code == 2
    assert not (state / "web.tokens").exists()


def configured(directory: Path) -> str:
    file = directory / "hub.conf"
    file.write_text(f'[backends.bus]\ntype = "memory"\n{table()}')
    return str(file)
