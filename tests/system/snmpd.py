"""A real snmpd, unprivileged, with the configuration that we ship, and Net-SNMP's own commands to ask it."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from pathlib import Path
from types import TracebackType

from tests.support import ROOT, free_port, require, wait_until
from tests.system.hubs import HUBBUB

SAMPLE = ROOT / "contrib" / "snmp" / "snmpd.conf"
IN_SAMPLE = "/usr/bin/sudo -n /opt/hubbub/bin/hubbub snmp -c /etc/hubbub/hub.conf"
NOTHING = re.compile("No more variables left|No Such (Object|Instance)")
BASE = ".1.3.6.1.4.1.8072.9999.9999.482"


class Snmpd:
    """``with Snmpd(directory, configuration_of_the_hub) as snmpd:``. :param base: where our objects are to be."""

    def __init__(self, directory: Path, hub_file: Path, base: str = BASE) -> None:
        program = shutil.which("snmpd") or "/usr/sbin/snmpd"
        require(Path(program).exists() and shutil.which("snmpget") is not None, "snmpd or snmp is not installed")
        directory.mkdir(exist_ok=True)
        self._port = free_port(socket.SOCK_DGRAM)
        self._base = base
        self._log_file = directory / "snmpd.log"
        self._environment = {
            **os.environ,
            "SNMP_PERSISTENT_DIR": str(directory),
            "SNMPCONFPATH": str(directory),
            "MIBS": "",
        }
        option = "" if base == BASE else f" --base {base}"
        text = SAMPLE.read_text().replace(IN_SAMPLE, f"{HUBBUB} snmp -c {hub_file}{option}").replace(BASE, base)
        configuration = directory / "snmpd.conf"
        configuration.write_text(text)
        place = f"udp:127.0.0.1:{self._port}"
        self._command = [program, "-f", "-Lf", str(self._log_file), "-C", "-c", str(configuration), place]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return self._log_file.read_text(errors="replace") if self._log_file.exists() else ""

    def __enter__(self) -> Snmpd:
        self._process = subprocess.Popen(self._command, env=self._environment)
        wait_until(self._answers, 30, f"snmpd; its log: {self.log}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(20)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"snmpd ended: {self.log}"
        return self._run("snmpget", f"{self._base}.1.1.2.0").returncode == 0

    def _run(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        mib = ["-M", f"+{ROOT}/contrib/snmp", "-m", "HUBBUB-MIB"]
        line = [command, "-v2c", "-c", "hubbub", "-t", "10", "-r", "0", *mib, f"127.0.0.1:{self._port}", *arguments]
        return subprocess.run(line, capture_output=True, text=True, check=False, timeout=30, env=self._environment)

    def ask(self, command: str, *arguments: str) -> str:
        """What ``snmpget`` and the like print."""
        done = self._run(command, *arguments)
        assert (done.returncode, done.stderr) == (0, ""), f"{done.stdout}{done.stderr}; snmpd's log: {self.log}"
        return done.stdout.rstrip("\n")

    def get(self, name: str) -> str:
        """The value of an object of our MIB, such as ``hubState.0``."""
        return self.ask("snmpget", "-OqvU", f"HUBBUB-MIB::{name}")

    def walk(self, name: str) -> dict[str, str]:
        """All objects below it, such as ``hubConsumerBacklog[archive]``."""
        lines = self.ask("snmpwalk", "-OqXU", f"HUBBUB-MIB::{name}").splitlines()
        found = [line.removeprefix("HUBBUB-MIB::") for line in lines if not NOTHING.search(line)]
        return {line.partition(" ")[0]: line.partition(" ")[2] for line in found}
