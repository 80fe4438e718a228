"""A real snmpd, unprivileged, with the configuration that we ship, and Net-SNMP's own commands to ask it."""

from __future__ import annotations

import re
import socket
import subprocess
from pathlib import Path

from tests.support import PATIENCE, ROOT, free_port
from tests.system.hubs import HUBBUB
from tests.system.server import Server, program

SAMPLE = ROOT / "hub" / "templates" / "snmp" / "snmpd.conf"
IN_SAMPLE = "/usr/bin/sudo -n /opt/hubbub/bin/hubbub snmp -c /etc/hubbub/hub.conf"
NOTHING = re.compile("No more variables left|No Such (Object|Instance)")
BASE = ".1.3.6.1.4.1.8072.9999.9999.482"


class Snmpd(Server):
    """``with Snmpd(directory, configuration_of_the_hub) as snmpd:``. :param base: where our objects are to be."""

    def __init__(self, directory: Path, hub_file: Path, base: str = BASE) -> None:
        snmpd = program("snmpd", "snmpd")
        program("snmpget", "snmp")
        self._port = free_port(socket.SOCK_DGRAM)
        self._base = base
        configuration, log_file = directory / "snmpd.conf", directory / "snmpd.log"
        place = f"udp:127.0.0.1:{self._port}"
        command = [snmpd, "-f", "-Lf", str(log_file), "-C", "-c", str(configuration), place]
        environment = {"SNMP_PERSISTENT_DIR": str(directory), "SNMPCONFPATH": str(directory), "MIBS": ""}
        super().__init__(directory, command, log_file, environment)
        option = "" if base == BASE else f" --base {base}"
        text = SAMPLE.read_text().replace(IN_SAMPLE, f"{HUBBUB} snmp -c {hub_file}{option}").replace(BASE, base)
        configuration.write_text(text)

    def answers(self) -> bool:
        return self._run("snmpget", f"{self._base}.1.1.2.0").returncode == 0

    def _run(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        mib = ["-M", f"+{ROOT}/hub/templates/snmp", "-m", "HUBBUB-MIB"]
        line = [
            command,
            "-v2c",
            "-c",
            "hubbub",
            "-t",
            str(10 * PATIENCE),
            "-r",
            "0",
            *mib,
            f"127.0.0.1:{self._port}",
            *arguments,
        ]
        return subprocess.run(
            line, capture_output=True, text=True, check=False, timeout=30 * PATIENCE, env=self.environment
        )

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
