"""The plugin as a monitoring system runs it: a command, its exit code, its standard output; and a real hub."""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import PATIENCE, ROOT, free_port, wait_until
from tests.system.hubs import HUBBUB, RunningHub

pytestmark = pytest.mark.system

BEHIND = 545
IN_SAMPLES = "/usr/bin/sudo -n /opt/hubbub/bin/hubbub"


def configuration() -> str:
    return f"""
        [backends.bus]
        type = "zeromq"
        bind = ["tcp://127.0.0.1:{free_port()}"]
        [consumers.archive]
        type = "slow"
        delay = "1h"
        [consumers.fast]
        type = "slow"
        delay = 0
    """


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[RunningHub]:
    """545 messages behind."""
    with RunningHub(tmp_path, configuration()) as running:
        messages = tmp_path / "messages.jsonl"
        messages.write_text("".join(f'{{"topic": "org.example.a", "msg": {number}}}\n' for number in range(BEHIND)))
        running.command("feed", str(messages), "--quiet")
        running.wait_for("archive", "received", BEHIND)
        running.wait_for("fast", "finished", BEHIND)
        yield running


def check(file: Path, *arguments: str) -> tuple[int, list[str]]:
    command = [str(HUBBUB), "check-backlog", "--config", str(file), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


def test_a_hub_that_is_545_behind_is_ok_a_warning_or_critical_as_the_limits_say(hub: RunningHub) -> None:
    code, lines = check(
        hub.file, "archive", "-w", "1000", "-c", "10000", "--age", "5m", "--catch-up", "1h", "--dead", "0"
    )
    said = re.fullmatch(
        r"HUBBUB OK - archive: backlog 545 \| 'archive backlog'=545;1000;10000;0 'archive age'=[0-9.]+s;300;;0 "
        r"'archive catch_up'=U;3600;;0 'archive dead'=0;0;;0",
        lines[0],
    )
    assert (code, said is not None) == (0, True), lines
    assert lines[1].startswith("archive: running, backlog 545, the oldest ")
    code, lines = check(hub.file, "-w", "500", "-c", "10000")
    assert (code, lines[0].partition(" | ")[0]) == (1, "HUBBUB WARNING - archive: backlog 545 (limit 500)")
    assert "'fast backlog'=0;500;10000;0" in lines[0]
    code, lines = check(hub.file, "-w", "500", "-c", "544")
    assert (code, lines[0].partition(" | ")[0]) == (2, "HUBBUB CRITICAL - archive: backlog 545 (limit 544)")
    assert check(hub.file, "fast", "-w", "500", "-c", "544")[0] == 0
    assert check(hub.file, "--age", "1ms")[0] == 1
    assert check(hub.file, "--age-critical", "1ms")[0] == 2
    code, (line,) = check(hub.file, "--json")
    assert (code, json.loads(line)["consumers"]["archive"]["backlog"]) == (0, BEHIND)


def test_who_asks_wrongly_does_not_know(hub: RunningHub) -> None:
    assert check(hub.file, "nobody") == (3, ["HUBBUB UNKNOWN - no consumer is called nobody; there are: archive, fast"])
    assert check(hub.file, "-w", "many")[0] == 3
    assert check(hub.directory / "none.conf")[0] == 3


def test_a_consumer_that_is_paused_is_a_warning(hub: RunningHub) -> None:
    hub.client.post("/pause", {"consumer": "archive"})
    code, lines = check(hub.file)
    assert (code, lines[0].partition(" | ")[0]) == (1, "HUBBUB WARNING - archive: paused")
    hub.client.post("/resume", {"consumer": "archive"})
    assert check(hub.file)[0] == 0


def test_a_hub_that_hangs_and_one_that_is_down_are_critical(hub: RunningHub) -> None:
    hub.process.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    assert check(hub.file, "-t", "1") == (2, ["HUBBUB CRITICAL - the hub did not answer within 1s"])
    assert time.monotonic() - began < 20 * PATIENCE
    hub.process.send_signal(signal.SIGCONT)
    wait_until(lambda: check(hub.file)[0] == 0, 20, "the hub to be well again")
    hub.process.kill()
    hub.process.wait()
    code, (line,) = check(hub.file, "-w", "1000")
    assert (code, line.startswith("HUBBUB CRITICAL - no hub is running: nothing listens at ")) == (2, True)


def sample_commands() -> Iterator[str]:
    """Of nagios' configuration, with the arguments of the services in their places, and of the document."""
    text = (ROOT / "hub" / "templates" / "nagios" / "hubbub.cfg").read_text()
    lines = dict(re.findall(r"command_name +(\S+)\n +command_line +(.*)", text))
    for call in re.findall(r"check_command +(.*)", text):
        name, *arguments = call.split("!")
        line = lines[name]
        for number, argument in enumerate(arguments, 1):
            line = line.replace(f"$ARG{number}$", argument)
        yield line
    document = (ROOT / "docs" / "nagios.rst").read_text()
    yield from re.findall(r"^    (?:\$ |command\[\w+\]=)(.*hubbub check-backlog.*)", document, re.M)


def test_the_commands_of_the_samples_are_understood(hub: RunningHub) -> None:
    commands = list(sample_commands())
    assert len(commands) >= 4
    for line in commands:
        assert "$" not in line
        ours = line.replace(IN_SAMPLES, str(HUBBUB)).replace("/etc/hubbub/hub.conf", str(hub.file))
        words = [str(HUBBUB), *shlex.split(ours)[1:]]
        done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=hub.directory, timeout=60)
        assert (done.returncode in (0, 1, 2), done.stdout[:7]) == (True, "HUBBUB "), f"{line}: {done.stdout}"


def test_the_samples_let_no_more_be_run_as_root_than_they_run() -> None:
    texts = [path.read_text() for path in (ROOT / "hub" / "templates" / "nagios").iterdir()]
    allowed = {line for text in texts for line in re.findall(r"NOPASSWD: (.*)", text)}
    run = {line.removeprefix("/usr/bin/sudo -n ") for line in sample_commands() if line.startswith("/usr/bin/sudo")}
    assert (allowed, "*" in str(allowed)) == (run, False)
