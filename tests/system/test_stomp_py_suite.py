"""stomp.py's own test suite, against the STOMP server. The last release whose sdist has the suite is 4.1.24."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import free_port, require
from tests.system.hubs import HUBBUB
from tests.system.test_stomp_server import StompHub

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

RELEASE = "stomp.py==4.1.24"
OTHERS = ("RABBITMQ", "STOMPSERVER", "ARTEMIS")
"""Brokers that the suite knows beside the standard one, by the prefix of the variables that say where they are."""
MODULES = (
    *("basic", "nonascii", "s10", "s11", "s12", "misc", "override_threading"),
    *("rabbitmq", "activemq", "stompserver"),
)
"""Those that talk to a broker by TCP. Those of TLS want the certificates of the author's containers."""
LEFT_OUT = "basic_test.py::TestBasicSend::test_timeout"
"""It connects to an address of documentation, 192.0.2.0, and wants the network to be silent."""
ITS_PORT = "60000"
"""Where its own small servers listen: among the ports that any outgoing connection of this machine may have."""
USER = "guest"
"""The login that the suite uses, and its password."""
TESTS = 31
"""Tests in these modules, without that one."""


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the unpacked sdist, whose own servers listen on a port that is free."""
    directory = tmp_path_factory.mktemp("stomp.py")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command = [*pip, "--no-binary", ":all:", "--no-build-isolation", "--dest", str(directory), RELEASE]
    done = subprocess.run(command, capture_output=True, text=True)
    require(done.returncode == 0, f"{RELEASE} can't be had: {done.stderr[-500:]}")
    (archive,) = directory.glob("*.tar.gz")
    shutil.unpack_archive(archive, directory)
    unpacked = directory / archive.name.removesuffix(".tar.gz")
    port = str(free_port())
    for file in unpacked.glob("stomp/test/*_test.py"):
        file.write_text(file.read_text("utf-8").replace(ITS_PORT, port), "utf-8")
    return unpacked


def test_stomp_pys_own_suite_passes(suite: Path, tmp_path: Path) -> None:
    # Two tests of the standard broker log in as somebody whom it refuses, one of another broker has no login at all.
    users = tmp_path / "users"
    subprocess.run([str(HUBBUB), "stomp", "passwd", str(users), USER], input=USER, text=True, check=True)
    for name in ("users", "nobody"):
        (tmp_path / f"{name}-hub").mkdir()
    with (
        StompHub(tmp_path / "users-hub", f'users_file = "{users}"\n') as standard,
        StompHub(tmp_path / "nobody-hub") as other,
    ):
        ports = {"STD": standard.port, **dict.fromkeys(OTHERS, other.port)}
        passed, failed, output = run(suite, ports, [f"stomp/test/{name}_test.py" for name in MODULES])
        assert passed + len(failed) == TESTS, output
        # Its tests wait by sleeping: what a loaded machine was too slow for is run again, alone.
        for name in failed:
            again = run(suite, ports, [name])
            assert again[:2] == (1, []), again[2]
        assert set(standard.backend()["disconnected"]) <= {"login"}
        assert other.backend()["disconnected"] == {}


def run(suite: Path, ports: dict[str, int], tests: list[str]) -> tuple[int, list[str], str]:
    """How many passed, the names of those that failed, and what pytest printed."""
    options = ["-q", "-c", os.devnull, "--rootdir", str(suite), "-W", "ignore"]
    plugins = ["-p", "no:cacheprovider", "-p", "no:hubbub"]
    command = [sys.executable, "-m", "pytest", *options, *plugins, "--deselect", f"stomp/test/{LEFT_OUT}", *tests]
    places = {}
    for broker, port in ports.items():
        for key, value in {"HOST": "127.0.0.1", "PORT": str(port), "USER": USER, "PASSWORD": USER}.items():
            places[f"{broker}_{key}"] = value
    environment = {**os.environ, **places, "PYTHONPATH": str(suite)}
    done = subprocess.run(command, cwd=suite, env=environment, capture_output=True, text=True, timeout=240)
    passed = re.search(r"(\d+) passed", done.stdout)
    failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    return int(passed[1]) if passed else 0, failed, done.stdout[-5000:] + done.stderr[-2000:]
