"""A real collectd, unprivileged, in a directory of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.support import free_port
from tests.system.server import Server, program

CONFIGURATION = """
Hostname "testhost"
BaseDir "{directory}"
PIDFile "{directory}/collectd.pid"
Interval 1
LoadPlugin logfile
<Plugin logfile>
    LogLevel info
    File "{log_file}"
</Plugin>
LoadPlugin network
<Plugin network>
    <Listen "127.0.0.1" "{port}">
        {network}
    </Listen>
</Plugin>
LoadPlugin unixsock
<Plugin unixsock>
    SocketFile "{socket}"
    SocketPerms "0600"
</Plugin>
LoadPlugin rrdtool
<Plugin rrdtool>
    DataDir "{rrd_dir}"
    StepSize 1
    HeartBeat 5
    RRATimespan 600
    CacheTimeout 2
    CacheFlush 2
</Plugin>
{extra}
"""


class Collectd(Server):
    """``with Collectd(directory, extra) as collectd:``; it writes RRD files with a step of a second.

    :param network: what goes into the network plugin's Listen block.
    :param extra: further configuration.
    """

    def __init__(self, directory: Path, network: str = "", extra: str = "") -> None:
        collectd = program("collectd", "collectd-core")
        self.port = free_port()
        self.rrd_dir = directory / "rrd"
        self.socket = directory / "collectd.sock"
        configuration, log_file = directory / "collectd.conf", directory / "collectd.log"
        super().__init__(directory, [collectd, "-f", "-C", str(configuration)], log_file)
        configuration.write_text(
            CONFIGURATION.format(
                directory=directory,
                log_file=log_file,
                port=self.port,
                socket=self.socket,
                rrd_dir=self.rrd_dir,
                network=network,
                extra=extra,
            )
        )

    def answers(self) -> bool:
        return self.socket.exists()

    def values(self) -> set[str]:
        """The identifiers that it knows, without the host."""
        done = subprocess.run(
            ["collectdctl", "-s", str(self.socket), "listval"], capture_output=True, text=True, check=False
        )
        return {line.partition("/")[2] for line in done.stdout.splitlines()}

    def value(self, identifier: str) -> float | None:
        """The last value of ``PLUGIN/TYPE``."""
        command = ["collectdctl", "-s", str(self.socket), "getval", f"testhost/{identifier}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return float(done.stdout.partition("=")[2]) if done.returncode == 0 else None
