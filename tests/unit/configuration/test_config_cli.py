"""``hubbub check`` and ``hubbub config``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hub.cli.config import check, config
from hub.errors import ConfigError
from tests.unit.configuration.configurations import CLASSES

TEXT = """\
[backends.bus]
type = "memory"
[consumers.good]
type = "classes.py:Good"
[consumers.archive]
type = "archive"
database = "postgresql://ann:hunter2@db/archive"
[exporters.off]
type = "collectd"
enabled = false
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "classes.py").write_text(CLASSES)
    (tmp_path / "hub.conf").write_text(TEXT)
    return tmp_path / "hub.conf"


def run(command: object, file: Path, *arguments: str) -> Result:
    return CliRunner().invoke(command, ["-c", str(file), *arguments])  # type: ignore[arg-type]


def test_check_names_what_would_run(file: Path) -> None:
    found = run(check, file)
    assert found.exit_code == 0
    assert [line.strip() for line in found.output.splitlines()] == [
        f"{file}: OK",
        "backend bus: hub.backends.memory:Memory",
        next(line.strip() for line in found.output.splitlines() if ":Good" in line),
        "consumer archive: hub.consumers.archive:Archive, 1 thread, topics #",
        f"state in {file.parent}/state, control socket {file.parent}/state/hub.sock",
    ]
    assert "  consumer good: " in found.output
    assert ":Good, 3 threads, topics a.#" in found.output


def test_check_says_the_same_to_programs(file: Path) -> None:
    found = json.loads(run(check, file, "--json").output)
    assert (found["ok"], found["problems"], found["file"]) == (True, [], str(file))
    assert found["consumers"]["good"]["topics"] == ["a.#"]
    assert found["backends"] == {"bus": {"class": "hub.backends.memory:Memory"}}
    assert found["exporters"] == {}


def test_check_warns_of_a_journal_that_is_not_there(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text('[hub]\nlog_to = "journal"\n' + TEXT)
    told = "hub.log_to: there is no journal that takes lines: the log goes to standard error"
    for is_there in (False, True):
        monkeypatch.setattr("hub.cli.config.there_is_a_journal", lambda: is_there)  # noqa: B023
        found = run(check, file)
        assert (f"hubbub: warning: {told}" in found.output, found.exit_code) == (not is_there, 0)
        assert json.loads(run(check, file, "--json").output)["warnings"] == ([] if is_there else [told])


def test_what_is_wrong_is_said_and_is_78(file: Path) -> None:
    file.write_text("[hub]\nx = 1\ny = 2\n")
    found = run(check, file)
    assert isinstance(found.exception, ConfigError)
    assert [problem.rpartition("/")[2].partition(" ")[0] for problem in found.exception.problems] == [
        "hub.conf:2:",
        "hub.conf:3:",
    ]
    found = run(check, file, "--json")
    assert (found.exit_code, json.loads(found.output)["ok"], len(json.loads(found.output)["problems"])) == (
        78,
        False,
        2,
    )
    assert isinstance(run(config, file, "--show").exception, ConfigError)


def test_show_gives_values_and_sources_to_programs(file: Path) -> None:
    found = run(config, file, "--show", "--json", "--set", "hub.log_level=debug")
    rows = {row["key"]: (row["value"], row["source"]) for row in json.loads(found.output)["settings"]}
    assert rows["hub.log_level"] == ("debug", "--set hub.log_level")
    assert rows["consumers.good.type"] == ("classes.py:Good", f"{file}:4")
    assert rows["consumers.good.threads"] == (3, "class Good")
    assert rows["consumers.good.place"] == (None, "default")
    assert "hunter2" not in found.output
    assert run(config, file, "--json").output == run(config, file, "--show", "--json").output


def test_the_declarations_are_told_to_programs(file: Path) -> None:
    rows = json.loads(run(config, file, "--defaults", "--json").output)["settings"]
    found = {(row["section"], row["plugin"], row["name"]): row for row in rows}
    assert found["consumers", None, "type"]["required"] is True
    assert found["consumers", "slow", "delay"]["default"] == "100ms"
    assert found["consumers", "slow", "delay"]["type"] == "duration"
    assert found["hub", None, "stop_timeout"]["help"]


def test_one_thing_at_a_time(file: Path) -> None:
    assert "not both" in run(config, file, "--show", "--defaults").output
