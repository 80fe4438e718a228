"""A disk that is really full: the intake stops, the consumers go on, and the intake resumes when there is room."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.faults.rig import Rig, Settings, consistent, drain, wants
from tests.faults.size import FULL, sized
from tests.faults.small_disk import fill, free, small_disk
from tests.support import PATIENCE, wait_until
from tests.system.hubs import RunningHub

pytestmark = [pytest.mark.faults, pytest.mark.timeout(sized(120, 600))]

MEBIBYTES = sized(10, 32)
BALLAST = sized(4, 12) << 20
LOAD: dict[str, Any] = {"rate": 2000, "padding": 2000}
CONSUMERS: Settings = {"fast": {"type": "Recording"}, "gated": {"type": "Gated"}}


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """Its state is on the small disk, with a ballast; its records are not."""
    with small_disk(tmp_path / "state", MEBIBYTES) as disk:
        rig = Rig(tmp_path, CONSUMERS)
        (disk / "ballast").write_bytes(b"x" * BALLAST)
        yield rig


def store(hub: RunningHub) -> dict[str, Any]:
    found: dict[str, Any] = hub.status()["hub"]["store"]
    return found


def confirmed(rig: Rig) -> int:
    return len(rig.records.confirmed())


def is_full(hub: RunningHub) -> None:
    """Wait for it; whoever asks is told."""
    wait_until(lambda: store(hub)["state"] != "ok", 30, "a full disk")
    told = msgspec.json.decode(hub.command("status", "--json").stdout)["hub"]
    assert (told["store"]["state"], told["held_back_by"]) == ("full", "the disk is full"), hub.log[-2000:]
    assert told["store"]["reason"]


def is_well(rig: Rig, hub: RunningHub) -> None:
    """Wait for it, and for the intake."""
    before = confirmed(rig)
    wait_until(lambda: store(hub)["state"] == "ok", 30, lambda: f"room; {store(hub)}")
    wait_until(lambda: hub.status()["hub"]["held_back"] is False, 10, "the intake")
    wait_until(lambda: confirmed(rig) >= before + 100, 30, "confirmations")


def nothing_lost(rig: Rig) -> None:
    rig.open_gate()
    with rig.quiet_hub() as hub:
        drain(hub)
        consistent(hub)
        found = [rig.findings(hub, name, wants()) for name in CONSUMERS]
        assert hub.stop() == 0
    print(*found, sep="\n")
    assert not any(one.lost or one.unknown for one in found)


def test_it_goes_on_when_there_is_room(rig: Rig, tmp_path: Path) -> None:
    """Somebody deletes a file."""
    with rig.hub(**LOAD) as hub:
        is_full(hub)
        stored, done = confirmed(rig), hub.consumer("gated")["finished"]
        wait_until(lambda: hub.consumer("fast")["backlog"] == 0, 10, "the fast consumer")
        rig.open_gate()
        hub.wait_for("gated", "finished", done + 200)
        assert confirmed(rig) - stored < 5000
        (tmp_path / "state" / "ballast").unlink()
        is_well(rig, hub)
        assert hub.stop() == 0
    nothing_lost(rig)


@pytest.mark.parametrize("to_the_last_byte", [True, False] if FULL else [True])
def test_it_goes_on_when_the_consumers_have_caught_up(rig: Rig, tmp_path: Path, to_the_last_byte: bool) -> None:
    """Nobody helps: what they finish is room for what comes."""
    with rig.hub(**LOAD) as hub:
        is_full(hub)
        if to_the_last_byte:
            fill(tmp_path / "state" / "more")
        print(f"{free(tmp_path / 'state')} bytes free")
        rig.open_gate()
        is_well(rig, hub)
        assert hub.process.poll() is None
        assert hub.stop() == 0
    nothing_lost(rig)


def test_a_kill_on_a_full_disk_loses_nothing(rig: Rig, tmp_path: Path) -> None:
    """And the next hub, which starts on it, says that it is full."""
    with rig.hub(**LOAD) as hub:
        is_full(hub)
        hub.process.kill()
    fill(tmp_path / "state" / "more")
    print(f"{free(tmp_path / 'state')} bytes free, {confirmed(rig)} confirmed")
    with rig.hub(**LOAD) as hub:
        is_full(hub)
        (tmp_path / "state" / "ballast").unlink()
        is_well(rig, hub)
        rig.open_gate()
        assert hub.stop() == 0
    nothing_lost(rig)


def test_a_first_start_on_a_full_disk_says_so(tmp_path: Path) -> None:
    """With an exit code and a line, not with a signal."""
    rig = Rig(tmp_path, CONSUMERS)
    with small_disk(tmp_path / "state", 1) as disk:
        fill(disk / "ballast")
        with rig.hub(ready=False) as hub:
            code = hub.process.wait(30 * PATIENCE)
            assert code == 74, (code, hub.log)
            assert "Traceback" not in hub.log
            assert "space" in hub.log
        (disk / "ballast").unlink()
        with rig.hub() as hub:
            assert hub.stop() == 0


def test_a_first_start_on_a_read_only_disk_says_so(tmp_path: Path) -> None:
    """systemd tries again: somebody may mount it anew."""
    rig = Rig(tmp_path, CONSUMERS)
    with small_disk(tmp_path / "state", 1) as disk:
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with rig.hub(ready=False) as hub:
            assert hub.process.wait(30 * PATIENCE) == 74, hub.log
            assert "Traceback" not in hub.log
            assert "ead-only" in hub.log


@pytest.mark.parametrize("left", [4096, 16_384, 65_536, 131_072, 262_144])
def test_a_start_on_a_disk_that_is_nearly_full_is_no_error_of_the_configuration(tmp_path: Path, left: int) -> None:
    rig = Rig(tmp_path, CONSUMERS)
    with small_disk(tmp_path / "state", 1) as disk:
        fill(disk / "ballast", left)
        with rig.hub(ready=False) as hub:
            wait_until(lambda: hub.process.poll() is not None or "is ready" in hub.log, 30, "a decision")
            assert hub.process.poll() in (None, 74), hub.log
            assert "Traceback" not in hub.log
