"""A real snmpd answers for a real hub, and Net-SNMP's commands read it by the names of our MIB."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from hub.monitoring.snmp_mib import object_name, render
from hub.status.catalogue import CATALOGUE
from tests.support import free_port, wait_until
from tests.system.hubs import HUBBUB, RunningHub
from tests.system.snmpd import BASE, Snmpd

pytestmark = pytest.mark.system

BEHIND = 545


def not_counted(hub: RunningHub) -> set[str]:
    """Objects of numbers that this kind of backend does not count."""
    row, (backends,) = hub.status()["backends"]["bus"], [part for part in CATALOGUE if part.name == "backends"]
    return {object_name(metric) for metric in backends.metrics if metric.key not in row}


def configuration() -> str:
    return f"""
        [backends.bus]
        type = "zeromq"
        bind = ["tcp://127.0.0.1:{free_port()}"]
        [consumers.slow]
        type = "slow"
        delay = "1h"
        [consumers."fast-one"]
        type = "slow"
        delay = 0
    """


def fall_behind(hub: RunningHub) -> None:
    messages = hub.directory / "messages.jsonl"
    messages.write_text("".join(f'{{"topic": "org.example.a", "msg": {number}}}\n' for number in range(BEHIND)))
    hub.command("feed", str(messages), "--quiet")
    hub.wait_for("slow", "received", BEHIND)
    hub.wait_for("fast-one", "finished", BEHIND)


def test_snmpget_and_snmpwalk_read_a_hub_that_is_545_behind(tmp_path: Path) -> None:
    with RunningHub(tmp_path, configuration()) as hub, Snmpd(tmp_path / "snmpd", hub.file) as snmpd:
        fall_behind(hub)

        def told() -> bool:
            backlogs = [snmpd.get(f"hubConsumerBacklog.'{name}'") for name in ("slow", "fast-one")]
            return backlogs == [f"{BEHIND}", "0"] and snmpd.get("hubReceived.0") == f"{BEHIND}"

        wait_until(told, 20, "a status that is later than the messages")
        found = snmpd.walk("hubbubMIB")
        assert (found["hubState.0"], found["hubReady.0"], found["hubReason.0"]) == ("running", "true", "ok")
        assert (found["hubVersion.0"], found["hubReceived.0"]) == (hub.status()["hub"]["version"], f"{BEHIND}")
        assert int(found["hubResident.0"]) > 10_000
        names = {key: value for key, value in found.items() if key.startswith("hubConsumerName")}
        assert names == {"hubConsumerName[fast-one]": "fast-one", "hubConsumerName[slow]": "slow"}
        slow = {key.partition("[")[0]: value for key, value in found.items() if key.endswith("[slow]")}
        assert (slow["hubConsumerState"], slow["hubConsumerInFlight"]) == ("running", "1")
        assert (slow["hubConsumerReceived"], slow["hubConsumerFinished"]) == (f"{BEHIND}", "0")
        assert (slow["hubConsumerCatchUpSeconds"], slow["hubConsumerThreads"]) == ("-1", "1")
        assert int(slow["hubConsumerOldestAgeMs"]) > 0
        assert found["hubConsumerFinished[fast-one]"] == f"{BEHIND}"
        assert (found["hubBackendName[bus]"], found["hubBackendReceived[bus]"]) == ("bus", f"{BEHIND}")
        described = set(re.findall(r"^(hub\w+(?<!Index)(?<!Table)(?<!Entry)) OBJECT-TYPE", render(), re.MULTILINE))
        assert {re.split(r"[.\[]", name)[0] for name in found} == {
            name for name in described - not_counted(hub) if not name.startswith("hubExporter")
        }
        table = snmpd.ask("snmptable", "-Cf", ";", "-OU", "HUBBUB-MIB::hubConsumerTable").splitlines()
        assert table[-1].startswith(f"slow;running;{BEHIND};1;0;")


def test_a_hub_that_is_down_has_a_state_and_no_rows_until_it_is_back(tmp_path: Path) -> None:
    hub = RunningHub(tmp_path, configuration())
    with hub, Snmpd(tmp_path / "snmpd", hub.file) as snmpd:
        assert snmpd.get("hubState.0") == "running"
        assert hub.stop() == 0
        wait_until(lambda: snmpd.get("hubState.0") == "down", 20, "the state to be down")
        found = snmpd.walk("hubbubMIB")
        assert found.keys() == {"hubState.0", "hubReady.0", "hubReason.0"}
        assert found["hubReason.0"].startswith("no hub is running")
        with hub:
            wait_until(lambda: snmpd.get("hubState.0") == "running", 20, "the state to be running")
            assert "hubConsumerName[slow]" in snmpd.walk("hubConsumerTable")


def test_the_objects_may_stand_elsewhere(tmp_path: Path) -> None:
    base = ".1.3.6.1.4.1.99999.1"
    with RunningHub(tmp_path, configuration()) as hub, Snmpd(tmp_path / "snmpd", hub.file, base) as snmpd:
        name = ".".join(str(number) for number in b"slow")
        assert snmpd.ask("snmpget", "-Oqv", f"{base}.1.2.1.2.{name}") == '"slow"'
        assert snmpd.ask("snmpgetnext", "-Oqn", base).startswith(f"{base}.1.1.1.0 ")


def test_the_program_answers_garbage_and_ends_with_its_input(tmp_path: Path) -> None:
    (tmp_path / "hub.conf").write_text(configuration())
    asked = f"PING\n\xff\xfe what?\nget\n\xff\nget\n{BASE}.1.1.2.0\nset\n{BASE}.1.1.2.0\ninteger 3\n"
    command = [str(HUBBUB), "snmp", "-c", str(tmp_path / "hub.conf")]
    for end in ("", "\nPING\n"):
        done = subprocess.run(command, input=(asked + end).encode("latin-1"), capture_output=True, timeout=60)
        lines = ["PONG", "NONE", "NONE", f"{BASE}.1.1.2.0", "integer", "1", "not-writable"]
        assert (done.returncode, done.stdout.decode().splitlines(), done.stderr) == (0, lines, b"")


def test_a_base_that_is_no_oid_is_a_usage_error(tmp_path: Path) -> None:
    done = subprocess.run([str(HUBBUB), "snmp", "--base", "one.two"], capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, "expected an OID" in done.stderr) == (64, True)
