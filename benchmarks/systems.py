"""How each of the systems is started, and what it costs while it runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
MOKSHA_VENV = ROOT / ".venv-moksha"
MOKSHA_REQUIRES = ["setuptools==65.5.0", "moksha.hub==1.5.17"]


@dataclass(frozen=True)
class Run:
    """One measurement to make.

    :ivar rate: messages per second; 0: as many as go.
    """

    system: str
    consumers: int
    count: int
    size: int
    rate: float = 0.0

    @property
    def latency(self) -> bool:
        """Whether each message's latency is noted."""
        return self.rate > 0


def make_moksha_environment() -> Path:
    """Its own virtual environment, made at the first use; nothing but setuptools and moksha.hub is pinned."""
    python = MOKSHA_VENV / "bin" / "python"
    ready = MOKSHA_VENV / "ready"
    if not ready.exists():
        subprocess.run(["python3.11", "-m", "venv", "--clear", str(MOKSHA_VENV)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *MOKSHA_REQUIRES], check=True)
        ready.touch()
    return python


def command(run: Run, endpoint: str, directory: Path) -> list[str]:
    """What to execute; hubbub by the command that its users run, on a configuration that it finds in ``directory``."""
    if run.system == "bare":
        return [sys.executable, str(HERE / "bare.py"), endpoint, str(run.consumers)]
    if run.system == "moksha":
        return [str(make_moksha_environment()), str(HERE / "moksha_hub.py"), endpoint, str(run.consumers)]
    lines = ["[backends.bus]", 'type = "zeromq"', f'connect = ["{endpoint}"]']
    for number in range(run.consumers):
        lines += [f"[consumers.c{number}]", f'type = "{HERE / "hubbub_consumer.py"}:Noop"', "max_backlog = 10_000_000"]
        lines += ['max_backlog_bytes = "16GiB"']
    (directory / "hub.conf").write_text("\n".join(lines) + "\n")
    return [str(Path(sys.executable).with_name("hubbub")), "run", "-c", str(directory / "hub.conf")]


def environment(run: Run, directory: Path) -> dict[str, str]:
    """The environment of the system under test."""
    settings = {"directory": str(directory), "count": run.count, "latency": run.latency}
    return {**os.environ, "HUBBUB_BENCH": json.dumps(settings)}


def cpu_seconds(pid: int) -> float:
    """Processor time that the process has used so far, in all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid: int) -> int:
    """Memory that the process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
