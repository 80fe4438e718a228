"""The unit under a real systemd: an operator's day."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import PATIENCE, ROOT, require, require_root, wait_until
from tests.system.distribution import Distribution, install
from tests.system.nspawn import Machine

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

UNIT = ROOT / "hub" / "templates" / "systemd" / "hubbub.service"
CONSUMERS = """
import os, time
from hub import Consumer, Reject, Settings, setting
from hub.settings import SecretRef

class Worker(Consumer):
    class Config(Settings):
        delay: float = setting(0.0, "Seconds for each message.")
        secret: SecretRef | None = setting(None, "Any.")

    def start(self):
        if self.config.secret is not None:
            self.log.info("the secret has %d characters", len(self.config.secret.read()))

    def consume(self, message):
        time.sleep(self.config.delay)
        self.log.debug("I have it", extra={"action": "greet"})
        if message.topic == "org.example.exit":
            os._exit(0)
        if message.topic == "org.example.bad":
            raise Reject("a bad one")
"""
HANGER = """
import time
from hub.backends.memory import Memory

class Hanger(Memory):
    def publish(self, message):
        time.sleep(3600)
"""
PYTHON = "/usr/bin/python3"
"""The distribution's: an operator's, too."""
BASE = """
[backends.bus]
type = "zeromq"
bind = ["tcp://127.0.0.1:9940"]
[consumers.fast]
type = "consumers.py:Worker"
secret = "credential:archive"
"""
SLOW = """
[consumers.slow]
type = "consumers.py:Worker"
delay = 2.0
"""
COMMANDS = """
[consumers.run]
type = "trigger"
topics = ["org.example.run"]
command = ["/bin/sh", "-c", "cat > ran && exec test $HUBBUB_TOPIC = org.example.run"]
[consumers.hang]
type = "trigger"
topics = ["org.example.hang"]
command = ["/bin/sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"]
longest = "1s"
grace = "1s"
max_attempts = 1
"""
DROP_IN = f"""
[Service]
WatchdogSec={2 * PATIENCE}s
RestartSec=100ms
LoadCredential=archive:/etc/hubbub/secret
"""


@pytest.fixture(scope="module")
def machine(distribution: Distribution, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    require_root("boots a systemd")
    require(shutil.which("systemd-nspawn") is not None, "systemd-nspawn is not installed (systemd-container)")
    require(Path(PYTHON).exists(), f"there is no {PYTHON}")
    directory = tmp_path_factory.mktemp("systemd")
    install(distribution.wheel, directory / "opt", PYTHON)
    for name in ("units/hubbub.service.d", "preset", "conf"):
        (directory / name).mkdir(parents=True)
    shutil.copy(UNIT, directory / "units")
    (directory / "units" / "hubbub.service.d" / "test.conf").write_text(DROP_IN)
    (directory / "preset" / "00-none.preset").write_text("disable *\n")
    (directory / "conf" / "consumers.py").write_text(CONSUMERS)
    (directory / "conf" / "hanger.py").write_text(HANGER)
    (directory / "conf" / "secret").write_text("0123456789\n")
    (directory / "conf" / "messages.jsonl").write_text('{"topic": "org.example.a", "msg": {}}\n' * 40)
    subprocess.run(["chmod", "-R", "a+rX", str(directory)], check=True)
    booted = Machine(directory)
    try:
        booted.boot()
        yield booted
    finally:
        booted.poweroff()


@pytest.fixture
def service(machine: Machine) -> Iterator[Machine]:
    """Started on the base configuration; stopped at the end."""
    start(machine, BASE)
    yield machine
    machine.run("systemctl", "stop", "hubbub", check=False)


def start(machine: Machine, configuration: str) -> None:
    (machine.conf / "hub.conf").write_text(configuration)
    machine.run("systemctl", "reset-failed", "hubbub", check=False)
    machine.run("systemctl", "start", "hubbub")


def number(machine: Machine, consumer: str, key: str) -> int:
    return int(json.loads(machine.hubbub("status", "--json").stdout)["consumers"][consumer][key])


def test_it_is_active_when_all_has_started_and_its_status_shows_the_backlog(service: Machine) -> None:
    assert service.show("ActiveState") == "active"
    state = json.loads(service.hubbub("status", "--json").stdout)
    assert state["hub"]["state"] == "running"
    wait_until(lambda: "backlog 0" in service.show("StatusText"), 10, "the status line")
    assert service.run("stat", "-c", "%U", "/run/hubbub/hub.sock").stdout.strip() != "root"


def test_the_journal_has_the_fields(service: Machine) -> None:
    service.hubbub("publish", "org.example.bad", "{}")
    wait_until(lambda: service.journal("CONSUMER=fast", "ACTION=bury"), 10, "the journal's entry")
    entry = service.journal("CONSUMER=fast", "ACTION=bury")[-1]
    assert entry["TOPIC"] == "org.example.bad"
    assert re.fullmatch(r"\d{4}-[0-9a-f-]{36}", entry["HUBBUB_MESSAGE_ID"])
    assert (entry["PRIORITY"], entry["SYSLOG_IDENTIFIER"], entry["ATTEMPT"]) == ("3", "hubbub", "1")
    assert entry["_SYSTEMD_UNIT"] == "hubbub.service"


def test_a_line_of_the_consumers_own_has_the_fields_of_its_message(machine: Machine) -> None:
    start(machine, '[hub]\nlog_format = "json"\nlog_levels = {"consumer.fast" = "debug"}\n' + BASE)
    machine.hubbub("publish", "org.example.said", "{}")
    wait_until(lambda: machine.journal("CONSUMER=fast", "ACTION=greet"), 10, "the journal's entry")
    entry = machine.journal("CONSUMER=fast", "ACTION=greet")[-1]
    assert (entry["MESSAGE"], entry["TOPIC"], entry["ATTEMPT"]) == ("I have it", "org.example.said", "1")
    assert machine.journal(f"HUBBUB_MESSAGE_ID={entry['HUBBUB_MESSAGE_ID']}")[-1]["LOGGER"] == "hubbub.consumer.fast"
    machine.run("systemctl", "stop", "hubbub")


def test_a_credential_is_read(service: Machine) -> None:

    def said() -> list[str]:
        return [entry["MESSAGE"] for entry in service.journal("CONSUMER=fast")]

    wait_until(lambda: "the secret has 10 characters" in said(), 10, "the journal's entry")


def test_a_reload_adds_a_consumer_and_a_broken_file_changes_nothing(service: Machine) -> None:
    (service.conf / "hub.conf").write_text(BASE + SLOW)
    service.run("systemctl", "reload", "hubbub")
    wait_until(lambda: "slow" in service.hubbub("status", "--json").stdout, 10, "the new consumer")
    (service.conf / "hub.conf").write_text(BASE + "[consumers.slow]\ntype = 'consumers.py:Wroker'\n")
    service.run("systemctl", "reload", "hubbub", check=False)
    wait_until(lambda: "did you mean 'Worker'" in service.journal_text(), 10, "the reason in the journal")
    assert service.show("ActiveState") == "active"
    (service.conf / "hub.conf").write_text(BASE + SLOW)
    assert json.loads(service.hubbub("status", "--json").stdout)["consumers"]["slow"]["state"] == "running"


def test_a_stop_in_backlog_ends_in_order_and_the_counts_add_up(machine: Machine) -> None:
    start(machine, BASE + SLOW)
    machine.hubbub("feed", "/etc/hubbub/messages.jsonl", "--quiet")
    wait_until(lambda: number(machine, "slow", "received") == 40, 20, "all to be received")
    machine.run("systemctl", "stop", "hubbub")
    assert (machine.show("Result"), machine.show("ExecMainStatus")) == ("success", "0")
    wait_until(lambda: machine.journal("CONSUMER=slow", "ACTION=stop"), 10, "the journal's entry")
    said = [entry["MESSAGE"] for entry in machine.journal("CONSUMER=slow", "ACTION=stop")][-1]
    numbers = {name: int(number) for name, number in re.findall(r"(\w+) (\d+)", said)}
    assert numbers["received"] == 40
    assert numbers["left"] > 20
    assert numbers["received"] == numbers["finished"] + numbers["dead"] + numbers["dropped"] + numbers["left"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hung"])
def test_it_is_restarted_when_it_is_killed_or_hangs(service: Machine, number: signal.Signals) -> None:
    before = service.show("MainPID")
    service.run("kill", f"-{number.value}", before)
    wait_until(lambda: service.show("MainPID") not in ("0", before), 30, "the restart")
    wait_until(lambda: service.show("ActiveState") == "active", 30, "the service to be active again")
    assert json.loads(service.hubbub("status", "--json").stdout)["hub"]["state"] == "running"


def test_it_is_restarted_when_a_consumer_ends_it_with_exit_code_0(machine: Machine) -> None:
    start(machine, BASE)
    before = machine.show("MainPID")
    machine.hubbub("publish", "org.example.exit", "{}")
    wait_until(lambda: machine.show("MainPID") not in ("0", before), 30, "the restart")
    machine.run("systemctl", "stop", "hubbub")


def test_a_reactor_that_hangs_is_met_by_the_watchdog(machine: Machine) -> None:
    start(machine, BASE + '[backends.hanger]\ntype = "hanger.py:Hanger"\n')
    before = machine.show("MainPID")
    asking = [*("/opt/hubbub/bin/python", "-P", "/opt/hubbub/bin/hubbub", "publish", "--through-hub", "a.b", "1")]
    asking += ["--backend", "hanger", "-c", "/etc/hubbub/hub.conf"]
    machine.run(*asking, check=False)
    wait_until(lambda: machine.show("MainPID") not in ("0", before), 30, "the restart")
    assert any("Watchdog timeout" in entry["MESSAGE"] for entry in machine.journal("UNIT=hubbub.service"))
    machine.run("systemctl", "stop", "hubbub")


def test_a_configuration_that_cannot_be_used_is_not_tried_again(machine: Machine) -> None:
    (machine.conf / "hub.conf").write_text("[consumers.x]\ntype = 'nothing'\n")
    machine.run("systemctl", "reset-failed", "hubbub", check=False)
    assert machine.run("systemctl", "start", "hubbub", check=False).returncode != 0
    assert (machine.show("ExecMainStatus"), machine.show("NRestarts")) == ("78", "0")
    wait_until(lambda: "no consumer is called 'nothing'" in machine.journal_text(), 10, "the reason in the journal")


def test_the_exposure_is_low() -> None:
    require(shutil.which("systemd-analyze") is not None, "systemd-analyze is not installed")
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(UNIT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-300:]


def test_commands_of_a_trigger_run_and_are_ended_in_the_units_sandbox(machine: Machine) -> None:
    start(machine, BASE + COMMANDS)
    try:
        for topic in ("run", "hang"):
            machine.hubbub("publish", f"org.example.{topic}", "{}")
        wait_until(lambda: number(machine, "run", "finished") == 1, 60, "the command to end")
        wait_until(lambda: number(machine, "hang", "dead") == 1, 60, "the command to be ended")
        assert "sleep 0.1" not in machine.run("ps", "ax").stdout
    finally:
        machine.run("systemctl", "stop", "hubbub", check=False)
