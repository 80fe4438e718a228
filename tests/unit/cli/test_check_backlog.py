"""The plugin's command: whatever goes wrong, it is 2 or 3, and on standard output."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.cli.backlog import check_backlog
from hub.errors import OrderRefused, Unavailable
from tests.unit.command import runner

Run = Callable[..., tuple[int, list[str]]]
STATUS: dict[str, Any] = {
    "hub": {"state": "running", "store": {"state": "ok"}},
    "consumers": {
        "archive": {
            "state": "running",
            "backlog": 545,
            "oldest_age": 90.0,
            "catch_up_seconds": 200.0,
            "trend": "catching_up",
            "dead": 3,
            "dead_letters": 2,
        }
    },
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    (tmp_path / "hub.conf").write_text("")
    monkeypatch.chdir(tmp_path)
    command = runner(monkeypatch, capsys)

    def run(*arguments: str) -> tuple[int, list[str]]:
        code, out, err = command("check-backlog", *arguments)
        assert err == ""
        return code, out.splitlines()

    return run


def hub_that(answers: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    class Client:
        def __init__(self, path: Path) -> None:
            self.path = path

        def get(self, path: str) -> Any:
            return answers(path)

    monkeypatch.setattr(check_backlog, "Client", Client)


def failing(error: Exception, cause: Exception | None = None) -> Callable[[str], Any]:
    def answer(path: str) -> Any:
        raise error from cause

    return answer


@pytest.mark.parametrize(
    "arguments",
    [
        ["--nope"],
        ["-w", "x"],
        ["-c"],
        ["--age", "soon"],
        ["--age", "nan"],
        ["--dead", "-1"],
        ["--catch-up", "1y"],
        ["--config", "."],
    ],
)
def test_wrong_use_is_unknown(run: Run, arguments: list[str]) -> None:
    code, (line,) = run(*arguments)
    assert (code, line.startswith("HUBBUB UNKNOWN - ")) == (3, True)
    code, (line,) = run("--json", *arguments)
    assert (code, json.loads(line)["state"]) == (3, "UNKNOWN")


def test_a_bad_configuration_is_unknown_with_all_that_is_wrong(run: Run, tmp_path: Path) -> None:
    code, (line,) = run("--config", "nothing.conf")
    assert (code, "nothing.conf: can't be read" in line) == (3, True)
    (tmp_path / "hub.conf").write_text("[hub]\ncontrol_socket = 5\nstate_dir = 6\n")
    code, lines = run()
    assert (code, len(lines)) == (3, 2)
    assert lines[0].startswith("HUBBUB UNKNOWN - the configuration can't be used: ")


def test_a_mistake_in_the_file_does_not_hide_the_hub(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub_that({"/status": STATUS}.__getitem__, monkeypatch)
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "hub.sock").touch()
    (tmp_path / "hub.conf").write_text("[consumers.x]\ntype = 'gone.py:Gone'\nthreads = 'many'\n")
    code, lines = run()
    assert (code, len(lines)) == (0, 2)
    (tmp_path / "hub.conf").write_text("[hub]\n= broken\n")
    code, lines = run()
    assert (code, len(lines)) == (0, 3)
    assert "hub.conf:2:1: not TOML" in lines[2]


def test_no_hub_is_critical(run: Run, tmp_path: Path) -> None:
    where = f"nothing listens at {tmp_path}/state/hub.sock"
    assert run() == (2, [f"HUBBUB CRITICAL - no hub is running: {where}"])
    code, (line,) = run("--json")
    assert (code, json.loads(line)["code"]) == (2, 2)


@pytest.mark.parametrize(
    ("error", "cause", "line"),
    [
        (Unavailable("not yours to use"), PermissionError(), "not yours to use"),
        (OrderRefused("no"), None, "no"),
        (OSError("no descriptors"), None, "the check failed: OSError: no descriptors"),
        (KeyError("hub"), None, "the check failed: KeyError: 'hub'"),
    ],
)
def test_what_says_nothing_of_the_hub_is_unknown(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: Exception, cause: Exception | None, line: str
) -> None:
    hub_that(failing(error, cause), monkeypatch)
    assert run() == (3, [f"HUBBUB UNKNOWN - {line}"])


def test_a_hub_that_hangs_is_critical_in_time(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    hub_that(_hang, monkeypatch)
    assert run("-t", "0.05") == (2, ["HUBBUB CRITICAL - the hub did not answer within 50ms"])


def _hang(path: str) -> None:
    threading.Event().wait(30)


def test_the_limits_are_those_of_the_options(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    hub_that({"/status": STATUS}.__getitem__, monkeypatch)
    code, lines = run("archive", "-w", "1000", "-c", "10000", "--age", "5m", "--catch-up", "1h", "--dead", "2")
    assert code == 0
    assert lines[0] == (
        "HUBBUB OK - archive: backlog 545 | 'archive backlog'=545;1000;10000;0 'archive age'=90s;300;;0 "
        "'archive catch_up'=200s;3600;;0 'archive dead'=2;2;;0"
    )
    worse = {
        ("-w", "544"): 1,
        ("-c", "@500:600"): 2,
        ("--age", "60"): 1,
        ("--age-critical", "1m"): 2,
        ("--catch-up", "3m"): 1,
        ("--catch-up-critical", "180"): 2,
        ("--dead", "1"): 1,
        ("nobody",): 3,
    }
    assert {arguments: run(*arguments)[0] for arguments in worse} == worse


def test_as_json_it_is_one_document(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    hub_that({"/status": STATUS}.__getitem__, monkeypatch)
    code, (line,) = run("--json", "-w", "500")
    document = json.loads(line)
    assert (code, document["state"], document["consumers"]["archive"]["backlog"]) == (1, "WARNING", 545)


def test_help_and_version_are_those_of_any_command(run: Run) -> None:
    assert run("--help")[0] == run("-V")[0] == 0
