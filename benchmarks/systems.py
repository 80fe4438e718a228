"""How each of the systems, and the publisher that it is measured with, is started."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.brokers.catalogue import CATALOGUE
from benchmarks.venv import BROKERS, MOKSHA, ROOT

HERE = ROOT / "benchmarks"
OURS = ("hubbub", "memory")
"""The hub as it comes, its queues durable; and the same with queues in memory."""
SYSTEMS = ("bare", "moksha", *reversed(OURS), *CATALOGUE)


@dataclass(frozen=True)
class Run:
    """One measurement to make.

    :ivar rate: messages per second; 0: as many as go. :ivar web: a port for hubbub's web page.
    """

    system: str
    consumers: int
    count: int
    size: int
    rate: float = 0.0
    web: int | None = None

    @property
    def latency(self) -> bool:
        """Whether each message's latency is noted."""
        return self.rate > 0


def command(run: Run, address: str, directory: Path) -> list[str]:
    """What to execute; hubbub by the command that its users run, on a configuration that it finds in ``directory``."""
    arguments = [address, str(run.consumers)]
    if run.system in CATALOGUE:
        script = HERE / "brokers" / f"{CATALOGUE[run.system].script}_consumers.py"
        return [str(BROKERS.python()), str(script), *arguments]
    if run.system == "bare":
        return [sys.executable, str(HERE / "bare.py"), *arguments]
    if run.system == "moksha":
        return [str(MOKSHA.python()), str(HERE / "moksha_hub.py"), *arguments]
    lines = ["[hub]", f'state_dir = "{directory / "state"}"']
    lines += ["[backends.bus]", 'type = "zeromq"', f'connect = ["{address}"]']
    for number in range(run.consumers):
        lines += [f"[consumers.c{number}]", f'type = "{HERE / "hubbub_consumer.py"}:Noop"', "max_backlog = 10_000_000"]
        lines += ['max_backlog_bytes = "16GiB"']
        if run.system == "memory":
            lines += ["durable = false"]
    if run.web is not None:
        lines += ["[servers.web]", 'type = "web"', f'listen = "127.0.0.1:{run.web}"']
    (directory / "hub.conf").write_text("\n".join(lines) + "\n")
    return [str(Path(sys.executable).with_name("hubbub")), "run", "-c", str(directory / "hub.conf")]


def publisher(run: Run, address: str) -> list[str]:
    """What sends: a broker's usual client to that, a plain PUB socket to the others."""
    arguments = [address, str(run.count), str(run.size), str(run.rate)]
    if run.system in CATALOGUE:
        script = HERE / "brokers" / f"{CATALOGUE[run.system].script}_publisher.py"
        return [str(BROKERS.python()), str(script), *arguments]
    return [sys.executable, str(HERE / "publisher.py"), *arguments]


def environment(run: Run, directory: Path) -> dict[str, str]:
    """The environment of the system under test."""
    settings = {"directory": str(directory), "count": run.count, "latency": run.latency}
    return {**os.environ, "HUBBUB_BENCH": json.dumps(settings)}
