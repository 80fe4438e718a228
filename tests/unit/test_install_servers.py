"""How the tests' servers are installed: with whatever right to run apt-get there is, and whoever has its lock."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support import ROOT

SCRIPT = ROOT / "contrib" / "install-servers.sh"
LOCKED = "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 1"
APT = """#!/bin/sh
printf '%s ' "$@" >>{calls}; echo >>{calls}
run() {{  # a hook, where the policy is in this directory; of all else it has only what a shell has
    for argument in "$@"; do
        case "$argument" in
            DPkg::$hook::=*) sh -c "$(printf %s "${{argument#*::=}}" | sed s,/usr/sbin,{directory},g)" ;;
        esac
    done
}}
hook=Pre-Invoke; run "$@"
if [ -e {directory}/policy-rc.d ]; then cp {directory}/policy-rc.d {directory}/seen; fi
hook=Post-Invoke; run "$@"
case "$*" in
    *install*) if [ -e {locked} ]; then rm {locked}; echo "{said}" >&2; exit 100; fi ;;
esac
"""
SUDO = """#!/bin/sh
[ "$1" = -n ] && [ "$2" = apt-get ] || exit 1
shift
exec "$@"
"""


class Machine:
    """One on which no package is installed, and whose apt-get writes down what it was told."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.programs = directory / "bin"
        self.programs.mkdir()
        self.calls = directory / "calls"
        self.locked = directory / "locked"
        self.put("dpkg-query", "#!/bin/sh\nexit 1\n")
        self.apt_that_says(LOCKED)

    def put(self, name: str, text: str) -> None:
        file = self.programs / name
        file.write_text(text)
        file.chmod(0o755)

    def apt_that_says(self, words: str) -> None:
        self.put("apt-get", APT.format(directory=self.directory, calls=self.calls, locked=self.locked, said=words))

    def install(self) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": f"{self.programs}:{os.environ['PATH']}", "HUBBUB_APT_PAUSE": "0"}
        return subprocess.run([SCRIPT, "collectd"], env=environment, capture_output=True, text=True, timeout=30)

    @property
    def installs(self) -> int:
        return sum(" install " in line for line in self.calls.read_text().splitlines())


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def as_user(machine: Machine) -> None:
    machine.put("id", "#!/bin/sh\necho 1000\n")


def as_root(machine: Machine) -> None:
    machine.put("id", "#!/bin/sh\necho 0\n")


def test_it_waits_for_whoever_holds_the_lock(machine: Machine) -> None:
    as_root(machine)
    machine.locked.touch()
    done = machine.install()
    assert (done.returncode, machine.installs) == (0, 2)
    assert "another program holds apt's lock; waiting for it" in done.stdout
    assert "DPkg::Lock::Timeout=" in machine.calls.read_text()


def test_another_error_is_shown_and_not_tried_again(machine: Machine) -> None:
    as_root(machine)
    machine.apt_that_says("E: Unable to locate package collectd")
    machine.locked.touch()
    done = machine.install()
    assert (done.returncode, machine.installs) == (0, 1)
    assert "Unable to locate package collectd" in done.stderr
    assert "apt-get could not install collectd" in done.stdout


def test_a_user_whose_sudo_allows_apt_get_alone_may_install(machine: Machine) -> None:
    as_user(machine)
    machine.put("sudo", SUDO)
    assert machine.install().stdout == ""
    assert machine.installs == 1


def test_a_user_without_sudo_is_told_the_command(machine: Machine) -> None:
    as_user(machine)
    machine.put("sudo", "#!/bin/sh\nexit 1\n")
    assert "sudo apt-get install --no-install-recommends collectd" in machine.install().stdout
    assert not machine.calls.exists()


def test_no_service_is_started(machine: Machine) -> None:
    """Neither a port is opened, nor does a test meet a server that is not its own."""
    as_root(machine)
    machine.install()
    seen = machine.directory / "seen"
    assert subprocess.run(["sh", seen]).returncode == 101
    assert not (machine.directory / "policy-rc.d").exists()


def test_a_policy_that_the_machine_has_is_kept(machine: Machine) -> None:
    as_root(machine)
    policy = machine.directory / "policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 0\n")
    machine.install()
    assert (machine.directory / "seen").read_text() == policy.read_text() == "#!/bin/sh\nexit 0\n"
