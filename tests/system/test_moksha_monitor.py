"""What reads the monitoring socket of a moksha hub reads ours: moksha-monitor-exporter itself, and Fedora's scripts."""

from __future__ import annotations

import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import PATIENCE, ROOT, free_port, require, wait_until
from tests.system.lagging import BEHIND, lagging_hub
from tests.system.moksha_readers import check_all_there, check_number, putvals, read

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

EXPORTER = "moksha-monitor-exporter==0.0.2"
APPLICATION = "moksha_monitor_exporter.moksha_monitor_exporter"
MONITOR = """
[exporters.moksha]
type = "moksha"
interval = "1s"
bind = "{bind}"
"""


@pytest.fixture(scope="module")
def exporter_python() -> Path:
    """A Python that has the real moksha-monitor-exporter; made once, beside the checkout's other environments."""
    directory = ROOT / ".venv-moksha-monitor"
    python = directory / "bin" / "python"
    if not (directory / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(directory)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        done = subprocess.run([*pip, EXPORTER], capture_output=True, text=True)
        require(done.returncode == 0, f"{EXPORTER} can't be installed: {done.stderr[-500:]}")
        (directory / "ready").touch()
    return python


@contextmanager
def scraped(python: Path, directory: Path, port: int) -> Iterator[str]:
    """Where it shows what the socket at ``port`` says, as its own users ask for it."""
    http = free_port()
    command = [str(python), "-m", "flask", "--app", APPLICATION, "run", "--host", "127.0.0.1", "--port", str(http)]
    with (directory / "exporter.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=directory)
    try:
        yield f"http://127.0.0.1:{http}/metrics?target=127.0.0.1&port={port}"
    finally:
        process.terminate()
        process.wait(20 * PATIENCE)


def page(url: str) -> str:
    """Empty while nobody answers there."""
    try:
        with urllib.request.urlopen(url, timeout=30 * PATIENCE) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


def shown(text: str, name: str) -> dict[str, float]:
    """By the consumer's name."""
    rows = re.findall(rf"^moksha_monitor_exporter_{name}\{{(.*?)\}} (\S+)$", text, re.MULTILINE)
    return {labels.split('name="')[1].split('"')[0]: float(number) for labels, number in rows}


def test_moksha_monitor_exporter_shows_545_of_which_one_is_in_hand(tmp_path: Path, exporter_python: Path) -> None:
    port = free_port()
    with (
        lagging_hub(tmp_path, MONITOR.format(bind=f"tcp://127.0.0.1:{port}")),
        scraped(exporter_python, tmp_path, port) as url,
    ):
        wait_until(lambda: "moksha_monitor_exporter_up 1.0" in page(url), 60, "the exporter to hear the hub")
        text = page(url)
    assert shown(text, "consumers_backlog") == {"SlowConsumer": BEHIND - 1, "fast": 0}
    assert shown(text, "consumers_exceptions") == {"SlowConsumer": 0, "fast": 0}
    assert set(shown(text, "consumers_headcount_in")) == {"SlowConsumer", "fast"}
    assert set(shown(text, "producers_last_ran")) == {"MonitoringProducer"}


def test_the_collectd_script_prints_544_and_the_nagios_checks_go_by_it(tmp_path: Path) -> None:
    socket = tmp_path / "monitoring-fedmsg-hub.socket"
    with lagging_hub(tmp_path, MONITOR.format(bind=f"ipc://{socket}")) as hub:
        wait_until(socket.exists, 20, "the monitoring socket")
        document = read(socket)
        lines = putvals(document, "fedmsg-hub", "host", 1400000000)
        assert "PUTVAL host/fedmsg-hub/queue_length-SlowConsumer_backlog interval=5 1400000000:544" in lines
        assert "PUTVAL host/fedmsg-hub/queue_length-fast_backlog interval=5 1400000000:0" in lines
        assert "PUTVAL host/fedmsg-hub/response_time-SlowConsumer_max interval=5 1400000000:0" in lines
        assert "PUTVAL host/fedmsg-hub/gauge-MonitoringProducer_exceptions interval=5 1400000000:0" in lines
        codes = [check_number(document, "backlog", "SlowConsumer", *bounds) for bounds in ((1000, 2000), (500, 600))]
        assert [*codes, check_number(document, "backlog", "SlowConsumer", 10, 50)] == [0, 1, 2]
        assert check_number(document, "exceptions", "SlowConsumer", 1, 10) == 0
        assert check_number(document, "backlog", "NoConsumer", 10, 50) == 3
        assert check_all_there(document, {"SlowConsumer", "fast", "MonitoringProducer"}) == 0
        assert check_all_there(document, {"NoConsumer"}) == 2
        hub.stop()
        assert not socket.exists()


def fedmsg_check(python: Path, directory: Path, socket: Path, *names: str) -> tuple[int, str]:
    """The real ``fedmsg-check``, configured as its users do."""
    (directory / "fedmsg.d").mkdir(exist_ok=True)
    (directory / "fedmsg.d" / "hub.py").write_text(
        f'config = {{"endpoints": {{}}, "moksha.monitoring.socket": "ipc://{socket}"}}'
    )
    command = [str(python.with_name("fedmsg-check")), "--timeout", "20", *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=directory, timeout=120 * PATIENCE)
    return done.returncode, done.stdout + done.stderr


def test_fedmsgs_own_check_finds_the_consumers(tmp_path: Path, fedmsg_python: Path) -> None:
    socket = tmp_path / "monitoring-fedmsg-hub.socket"
    with lagging_hub(tmp_path, MONITOR.format(bind=f"ipc://{socket}")):
        wait_until(socket.exists, 20, "the monitoring socket")
        code, said = fedmsg_check(fedmsg_python, tmp_path, socket, "-c", "SlowConsumer", "-p", "MonitoringProducer")
        assert code == 0, said
        assert "All consumers and producers are active!" in said
        assert f'"backlog": {BEHIND - 1}' in said
        code, said = fedmsg_check(fedmsg_python, tmp_path, socket, "-c", "NoConsumer")
        assert (code, '"NoConsumer" is not active!' in said) == (1, True), said


def test_the_socket_is_there_when_the_hub_is_ready_and_tells_of_its_first_interval(tmp_path: Path) -> None:
    socket = tmp_path / "monitoring.socket"
    text = MONITOR.format(bind=f"ipc://{socket}").replace('"1s"', '"1h"')
    with lagging_hub(tmp_path, text):
        wait_until(socket.exists, 10, "the monitoring socket, long before its interval is over")
