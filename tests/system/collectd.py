"""A real collectd, unprivileged, in a directory of its own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from types import TracebackType

from tests.support import free_port, require, wait_until

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


class Collectd:
    """``with Collectd(directory, extra) as collectd:``; it writes RRD files with a step of a second.

    :param network: what goes into the network plugin's Listen block.
    :param extra: further configuration.
    """

    def __init__(self, directory: Path, network: str = "", extra: str = "") -> None:
        program = shutil.which("collectd") or "/usr/sbin/collectd"
        require(Path(program).exists(), "collectd is not installed")
        self.port = free_port()
        self.directory = directory
        self.rrd_dir = directory / "rrd"
        self.socket = directory / "collectd.sock"
        self.log_file = directory / "collectd.log"
        directory.mkdir(exist_ok=True)
        self._configuration = directory / "collectd.conf"
        self._configuration.write_text(
            CONFIGURATION.format(
                directory=directory,
                log_file=self.log_file,
                port=self.port,
                socket=self.socket,
                rrd_dir=self.rrd_dir,
                network=network,
                extra=extra,
            )
        )
        self._command = [program, "-f", "-C", str(self._configuration)]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def __enter__(self) -> Collectd:
        with (self.directory / "output").open("ab") as output:
            self._process = subprocess.Popen(self._command, stdout=output, stderr=output)
        wait_until(self.socket.exists, 20, f"collectd; its log: {self.log}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(20)

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
