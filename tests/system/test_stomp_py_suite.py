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
from tests.system.test_stomp_server import StompHub

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

RELEASE = "stomp.py==4.1.24"
OWN_SERVERS = ("STD", "RABBITMQ", "STOMPSERVER", "ARTEMIS")
"""Brokers that the suite knows, by the prefix of the variables that say where they are: all of them are ours."""
MODULES = (
    *("basic", "nonascii", "s10", "s11", "s12", "misc", "override_threading"),
    *("rabbitmq", "activemq", "stompserver"),
)
"""Those that talk to a broker by TCP. Those of TLS want the certificates of the author's containers."""
LEFT_OUT = "basic_test.py::TestBasicSend::test_timeout"
"""It connects to an address of documentation, 192.0.2.0, and wants the network to be silent."""
ITS_PORT = "60000"
"""Where its own small servers listen: among the ports that any outgoing connection of this machine may have."""
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
    options = ["-q", "-c", os.devnull, "--rootdir", str(suite), "-p", "no:cacheprovider", "-p", "no:hubbub"]
    files = [f"stomp/test/{name}_test.py" for name in MODULES]
    command = [sys.executable, "-m", "pytest", *options, "--deselect", f"stomp/test/{LEFT_OUT}", *files]
    with StompHub(tmp_path) as hub:
        places = {f"{name}_{key}": value for name in OWN_SERVERS for key, value in at(hub.port).items()}
        environment = {**os.environ, **places, "PYTHONPATH": str(suite)}
        done = subprocess.run(command, cwd=suite, env=environment, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
        outcome = re.findall(r"\d+ \w+", done.stdout.splitlines()[-1])
        assert [one for one in outcome if not one.endswith(("warning", "warnings"))] == [
            f"{TESTS} passed",
            "1 deselected",
        ]
        assert hub.backend()["disconnected"] == {}


def at(port: int) -> dict[str, str]:
    """What the suite asks of the environment."""
    return {"HOST": "127.0.0.1", "PORT": str(port), "USER": "guest", "PASSWORD": "guest"}
