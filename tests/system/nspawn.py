"""A real systemd in a container of its own: mount, process and network namespaces, and its own /tmp and /run."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.support import PATIENCE, wait_until

WAIT = 60.0 * PATIENCE


class Machine:
    """The container. :param directory: holds ``opt``, ``units``, ``preset`` and ``conf``, which it sees."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.conf = directory / "conf"
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._leader = 0

    def boot(self) -> None:
        binds = {"opt": "/opt/hubbub", "units": "/etc/systemd/system.control", "preset": "/etc/systemd/system-preset"}
        command = ["systemd-nspawn", "--quiet", "-D", "/", "--volatile=yes", "--boot", "--register=no", "--keep-unit"]
        command += ["--private-network", "--console=pipe", f"--machine=hubbub-{os.getpid()}"]
        command += [f"--bind-ro={self._directory / name}:{place}" for name, place in binds.items()]
        command += [f"--bind-ro={self.conf}:/etc/hubbub", "systemd.unit=basic.target"]
        with (self._directory / "console").open("wb") as console:
            self._nspawn = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT)
        wait_until(self._booted, 60, "systemd to boot")

    def _booted(self) -> bool:
        assert self._nspawn is not None
        assert self._nspawn.poll() is None, (self._directory / "console").read_text(errors="replace")
        children = Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children").read_text().split()
        if not children:
            return False
        self._leader = int(children[0])
        done = self.run("systemctl", "is-active", "basic.target", check=False)
        return done.stdout.strip() == "active"

    def run(self, *command: str, check: bool = True, timeout: float = WAIT) -> subprocess.CompletedProcess[str]:
        """Run a command inside."""
        inside = ["nsenter", "-t", str(self._leader), "-m", "-u", "-i", "-n", "-p", "-C", *command]
        done = subprocess.run(inside, capture_output=True, text=True, timeout=timeout)
        if check:
            assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}\n{self.journal_text()}"
        return done

    def hubbub(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run ``hubbub VERB ... -c /etc/hubbub/hub.conf`` inside, as root."""
        program = ("/opt/hubbub/bin/python", "-P", "/opt/hubbub/bin/hubbub")
        return self.run(*program, *arguments, "-c", "/etc/hubbub/hub.conf", check=check)

    def show(self, key: str) -> str:
        """A property of the service."""
        return self.run("systemctl", "show", "-p", key, "--value", "hubbub").stdout.strip()

    def journal(self, *matches: str) -> list[dict[str, Any]]:
        """Entries with these fields."""
        lines = self.run("journalctl", "-o", "json", "--no-pager", *matches).stdout.splitlines()
        return [json.loads(line) for line in lines]

    def journal_text(self) -> str:
        """The last of what the service said."""
        inside = ["nsenter", "-t", str(self._leader), "-m", "-u", "-i", "-n", "-p", "-C"]
        tail = ["journalctl", "-u", "hubbub", "--no-pager", "-n", "40"]
        return subprocess.run([*inside, *tail], capture_output=True, text=True).stdout

    def poweroff(self) -> None:
        """End it, and wait for its end."""
        assert self._nspawn is not None
        self.run("systemctl", "poweroff", check=False)
        try:
            self._nspawn.wait(WAIT)
        except subprocess.TimeoutExpired:
            self._nspawn.kill()
            self._nspawn.wait()
