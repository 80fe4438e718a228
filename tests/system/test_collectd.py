"""A real collectd gets the hub's numbers, by push and by plugin, and the graph is drawn from its files."""

from __future__ import annotations

import struct
from functools import partial
from pathlib import Path

import pytest

from hub.monitoring.graph import find
from tests.support import ROOT, free_port, wait_until
from tests.system.collectd import Collectd
from tests.system.hubs import RunningHub

pytestmark = pytest.mark.system

BACKLOG = "hubbub-hub/queue_length-slow_backlog"


def configuration(endpoint: str, exporter: str = "") -> str:
    return f"""
        [backends.bus]
        type = "zeromq"
        bind = ["{endpoint}"]
        [consumers.slow]
        type = "slow"
        delay = "1s"
        [consumers."fast-one"]
        type = "slow"
        delay = 0
        {exporter}
    """


def push(collectd: Collectd, more: str = "") -> str:
    return f"""
        [exporters.collectd]
        type = "collectd"
        port = {collectd.port}
        interval = "1s"
        hostname = "testhost"
        {more}
    """


def has_exported(hub: RunningHub, times: int) -> bool:
    return bool(hub.status()["exporters"]["collectd"]["exported"] >= times)


def estimates_well(hub: RunningHub) -> bool:
    """It takes a second for each message, but for a moment in which the machine does something else."""
    row = hub.consumer("slow")
    return bool((row["catch_up_seconds"] or 0) == pytest.approx(row["backlog"], rel=0.35))


def feed(hub: RunningHub, count: int) -> None:
    messages = hub.directory / "messages.jsonl"
    messages.write_text("".join(f'{{"topic": "org.example.a", "msg": {number}}}\n' for number in range(count)))
    hub.command("feed", str(messages), "--quiet")
    hub.wait_for("slow", "received", count)


def test_a_slow_consumers_backlog_shows_in_the_status_in_collectd_and_in_the_graph(tmp_path: Path) -> None:
    endpoint = f"tcp://127.0.0.1:{free_port()}"
    with (
        Collectd(tmp_path / "collectd") as collectd,
        RunningHub(tmp_path, configuration(endpoint, push(collectd))) as hub,
    ):
        feed(hub, 600)
        assert 400 < hub.consumer("slow")["backlog"] <= 600
        wait_until(lambda: (collectd.value(BACKLOG) or 0) > 400, 20, "the backlog in collectd")
        wait_until(
            lambda: collectd.value("hubbub-hub/queue_length-fast_one_backlog") == 0, 20, "none of the fast one's"
        )
        wait_until(partial(estimates_well, hub), 20, "a good estimate")
        wait_until(lambda: (collectd.value("hubbub-hub/timeleft-slow_catch_up") or 0) > 20, 20, "the time left")
        wait_until(lambda: (collectd.rrd_dir / "testhost" / f"{BACKLOG}.rrd").exists(), 20, "the RRD file")
        wait_until(
            lambda: (collectd.rrd_dir / "testhost/hubbub-hub/timeleft-slow_catch_up.rrd").exists(), 20, "the RRD file"
        )
        picture = tmp_path / "backlog.png"
        hub.command("graph", "slow", "-o", str(picture), "--rrd-dir", str(collectd.rrd_dir), "--since", "1m")
        for name in ("backlog.png", "backlog-rates.png", "backlog-catch-up.png"):
            assert struct.unpack("!II", (tmp_path / name).read_bytes()[16:24])[0] == 900
        refused = hub.command("graph", "nobody", "--rrd-dir", str(collectd.rrd_dir), check=False)
        assert refused.returncode == 69
        assert "fast_one, slow" in refused.stderr
        assert find(collectd.rrd_dir, None, "hubbub", "fast-one").consumer == "fast_one"


@pytest.mark.parametrize("level", ["Sign", "Encrypt"])
def test_signed_and_encrypted_numbers_arrive_and_those_of_a_wrong_password_do_not(tmp_path: Path, level: str) -> None:
    (tmp_path / "auth").write_text("ann: s3cretword\n")
    (tmp_path / "right").write_text("s3cretword\n")
    (tmp_path / "wrong").write_text("wrong\n")
    network = f'SecurityLevel "{level}"\nAuthFile "{tmp_path}/auth"'
    with Collectd(tmp_path / "collectd", network) as collectd:
        for password in ("wrong", "right"):
            directory = tmp_path / f"hub-{password}"
            directory.mkdir()
            more = f"""
                security_level = "{level.lower()}"
                username = "ann"
                password = "file:{tmp_path}/{password}"
            """
            endpoint = f"tcp://127.0.0.1:{free_port()}"
            with RunningHub(directory, configuration(endpoint, push(collectd, more))) as hub:
                wait_until(partial(has_exported, hub, 2), 20, "two exports")
                if password == "wrong":
                    assert BACKLOG not in collectd.values()
                else:
                    wait_until(lambda: BACKLOG in collectd.values(), 20, "the backlog in collectd")
                    assert "s3cretword" not in str(hub.status())
                    assert "s3cretword" not in hub.log


def test_the_plugin_inside_collectd_gives_the_names_that_the_push_gives(tmp_path: Path) -> None:
    endpoint = f"tcp://127.0.0.1:{free_port()}"
    plugin = f"""
        <LoadPlugin python>
            Globals true
        </LoadPlugin>
        <Plugin python>
            ModulePath "{ROOT}/monitoring"
            Import "collectd_plugin"
            <Module collectd_plugin>
                Socket "{tmp_path}/state/hub.sock"
            </Module>
        </Plugin>
    """
    with (
        Collectd(tmp_path / "pushed") as pushed,
        RunningHub(tmp_path, configuration(endpoint, push(pushed))) as hub,
        Collectd(tmp_path / "pulled", extra=plugin) as pulled,
    ):
        feed(hub, 300)
        wait_until(lambda: (pulled.value(BACKLOG) or 0) > 15, 20, lambda: f"the backlog; {pulled.log}")
        wait_until(lambda: (pushed.value(BACKLOG) or 0) > 15, 20, "the backlog, pushed")
        wait_until(lambda: pulled.values() == pushed.values(), 20, "the same names")
        assert len(pulled.values()) > 30


def test_a_collectd_that_is_not_there_is_counted_and_holds_nothing_up(tmp_path: Path) -> None:
    endpoint = f"tcp://127.0.0.1:{free_port()}"
    exporter = f'[exporters.collectd]\ntype = "collectd"\nport = {free_port()}\ninterval = "100ms"\n'
    with RunningHub(tmp_path, configuration(endpoint, exporter)) as hub:
        wait_until(lambda: hub.status()["exporters"]["collectd"]["failed"] > 0, 20, "a failed export")
        feed(hub, 5)
        hub.wait_for("fast-one", "finished", 5)
        assert hub.stop() == 0
