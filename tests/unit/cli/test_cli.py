"""The command, without a hub: what it prints, and its exit codes."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from hub import cli
from hub.cli import feed, publish, tail
from hub.cli.bus import choose
from hub.configuration.defaults import default_file
from hub.configuration.loading import load
from hub.errors import ConfigError
from hub.message import Message
from tests.unit.command import Run, runner

GOOD = """
[hub]
stop_timeout = "5s"
[backends.bus]
type = "zeromq"
connect = ["tcp://127.0.0.1:1"]
[consumers.archive]
type = "archive"
database = "postgresql://ann:hunter2@db/archive"
[consumers.log]
type = "log"
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    (tmp_path / "hub.conf").write_text(GOOD)
    monkeypatch.chdir(tmp_path)
    return runner(monkeypatch, capsys)


def test_a_star_at_the_end_that_moksha_would_read_otherwise_is_told(run: Run, tmp_path: Path) -> None:
    topics = ["org.fedoraproject.*", "org.example.#", "a.b*", "*.c", "*"]
    (tmp_path / "hub.conf").write_text(f"{GOOD}\ntopics = {topics}\n")
    code, out, err = run("check")
    told = [line for line in out.splitlines() if "exactly one word" in line]
    assert (code, err, len(told)) == (0, "", 1)
    assert told[0].strip().startswith("'org.fedoraproject.*': ")
    assert told[0].endswith("write 'org.fedoraproject.#'")
    notes = json.loads(run("check", "--json")[1])["consumers"]["log"]["notes"]
    assert notes == [told[0].strip()]


def test_every_subcommand_is_listed_and_has_its_help(run: Run) -> None:
    code, out, _ = run("--help")
    assert code == 0
    for name in (*cli.COMMANDS, "archive", "graph"):
        assert f"\n  {name} " in out
        code, help_text, _ = run(name, "--help")
        assert (code, "Usage: " in help_text) == (0, True)


def test_wrong_use_is_64_a_bad_file_78_and_no_hub_69(run: Run, tmp_path: Path) -> None:
    assert run("frobnicate")[0] == 64
    assert run("feed")[0] == 64
    assert run("check", "-c", "nothing.conf")[0] == 78
    code, _, err = run("status")
    assert (code, f"nothing listens at {tmp_path}/state/hub.sock" in err) == (69, True)


def test_check_tells_what_there_is_or_all_that_is_wrong(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("check")
    assert code == 0
    assert "consumer archive: hub.consumers.archive:Archive, 1 thread, topics #" in out
    (tmp_path / "hub.conf").write_text("[hub]\nlog_level = 5\nx = 1\n")
    code, out, err = run("check")
    assert (code, len(err.splitlines())) == (78, 2)
    code, out, _ = run("check", "--json")
    assert (code, len(json.loads(out)["problems"])) == (78, 2)


def test_show_gives_the_settings_in_force_with_their_sources(run: Run) -> None:
    code, out, _ = run("config", "--show", "-s", "consumers.log.threads=4")
    assert code == 0
    assert "hunter2" not in out
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert 'database = "postgresql://ann:***@db/archive" # ' in " ".join(lines)
    assert "threads = 4 # --set consumers.log.threads" in lines
    assert any(line.startswith('stop_timeout = "5s" # ') and line.endswith("hub.conf:3") for line in lines)
    assert "max_attempts = 5 # default" in lines


def test_the_defaults_are_toml_and_name_every_setting(run: Run) -> None:
    code, out, _ = run("config", "--defaults")
    assert code == 0
    assert tomllib.loads(out) == {"hub": {}}
    for name in ("stop_timeout", "max_attempts", "receive_high_water", "database", "security_level"):
        assert f"# {name} = " in out


def test_each_default_may_stand_in_the_file_as_it_is_written(tmp_path: Path) -> None:
    """The comments taken away, the defaults are a configuration that says the same."""
    settings = [line[2:] for line in default_file().splitlines() if line.startswith("# ")]
    hub = default_file().split("# [")[0].splitlines()
    values = [line[2:] for line in hub if line.startswith("# ") and " = " in line and "unset" not in line]
    file = tmp_path / "hub.conf"
    file.write_text("[hub]\n" + "\n".join(value for value in values if "must be set" not in value))
    assert load(file, (), {}).hub == load_empty(tmp_path).hub
    assert len(settings) > 100


def load_empty(directory: Path) -> Any:
    file = directory / "empty.conf"
    file.write_text("")
    return load(file, (), {})


def test_records_are_canonical_and_every_bad_line_is_named() -> None:
    assert feed.read_records([b'{"topic": "a", "b": [1, 2], "\xc3\xa9": null}', b""], "it") == [
        ("a", b'{"b":[1,2],"topic":"a","\\u00e9":null}')
    ]
    with pytest.raises(ConfigError) as caught:
        feed.read_records(
            [b"{}", b"nonsense", b"[]", b'{"topic": "a"}', b'{"topic": 5}', b"[" * 100_000, b'{"topic": "\xff"}'],
            "a.jsonl",
        )
    wanted = 'expected a JSON object with a "topic"'
    assert caught.value.problems == [
        f"a.jsonl, line 1: {wanted}",
        "a.jsonl, line 2: this is no JSON: Expecting value at column 1",
        f"a.jsonl, line 3: {wanted}",
        f"a.jsonl, line 5: {wanted}",
        "a.jsonl, line 6: it is nested too deeply",
        "a.jsonl, line 7: this is no UTF-8: byte 12",
    ]
    with pytest.raises(ConfigError, match=r"a\.jsonl has no message"):
        feed.read_records([], "a.jsonl")


@pytest.mark.parametrize("topic", ['"\\ud800"', f'"{"a" * 1025}"'])
def test_a_topic_that_no_bus_takes_is_told_before_anything_is_sent(topic: str) -> None:
    with pytest.raises(ConfigError, match="line 1: expected a topic of at most 1024 bytes in UTF-8"):
        feed.read_records([f'{{"topic": {topic}}}'.encode()], "it")


def test_of_very_many_bad_lines_the_first_are_told() -> None:
    with pytest.raises(ConfigError) as caught:
        feed.read_records([b"x"] * 1000, "it")
    assert len(caught.value.problems) == 21
    assert caught.value.problems[-1] == "it: 980 more lines can't be used"


def test_a_fresh_record_has_a_new_id_and_the_present_time() -> None:
    record = ("a", b'{"msg":1,"msg_id":"old","timestamp":1,"topic":"a"}')
    first, second = (json.loads(feed._renewed(record)[1]) for _ in range(2))
    assert first["msg_id"] != second["msg_id"]
    assert first["timestamp"] > 1_700_000_000
    assert (first["msg"], first["topic"]) == (1, "a")


@pytest.mark.parametrize(("text", "body"), [('{"a": 1}', b'{"a": 1}'), ("5", b"5"), ("two words\n", b'"two words"')])
def test_what_is_no_json_is_published_as_a_text(text: str, body: bytes) -> None:
    assert publish._as_json(text) == body


def test_a_line_of_the_tail_is_safe_for_a_terminal() -> None:
    row = tail._row(Message("1", "a.\x1b[31mb", b"\x1b[2J not json", received_at=0.0))
    shown = tail._line(row, pretty=True).plain
    assert "\x1b" not in shown
    assert "not json" in shown


def test_a_backend_that_is_not_there_is_said(tmp_path: Path) -> None:
    (tmp_path / "hub.conf").write_text(GOOD)
    found = load(tmp_path / "hub.conf", (), {})
    assert choose(found, None).name == "bus"
    with pytest.raises(ConfigError, match="no backend is called 'nothing': there are bus"):
        choose(found, "nothing")


def test_what_a_stomp_server_can_do_only_by_way_of_its_hub_is_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "hub.conf").write_text('[backends.stomp]\ntype = "stomp-server"\n')
    (tmp_path / "rows").write_text("")
    for arguments, instead in (
        (("publish", "a.b"), "let the running hub send it, with --through-hub"),
        (("tail", "--direct"), "without --direct"),
        (("feed", "rows"), "--through-hub"),
    ):
        code, _, error = run(*arguments)
        assert code != 0
        assert "backend stomp (stomp-server) can't be used from the command line: " in error
        assert instead in error
