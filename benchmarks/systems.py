"""Systems to measure: the commands that start each one and its publisher."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.brokers.catalogue import CATALOGUE
from benchmarks.venv import BROKERS, MOKSHA, ROOT

HERE = ROOT / "benchmarks"
HUBBUB = Path(sys.executable).with_name("hubbub")
OURS = ("hubbub", "memory")
"""Hub with durable queues, the default, and with queues in memory."""
SYSTEMS = ("bare", "moksha", *reversed(OURS), *CATALOGUE)


@dataclass(frozen=True)
class Run:
    """Measurement to make.

    :ivar rate: messages per second; 0: no limit. :ivar web: port of hubbub's web page.
    :ivar hubbub: the ``hubbub`` command to run; by default that of this environment.
    """

    system: str
    consumers: int
    count: int
    size: int
    rate: float = 0.0
    web: int | None = None
    hubbub: Path = HUBBUB

    @property
    def latency(self) -> bool:
        """True if each message's latency is measured."""
        return self.rate > 0


def command(run: Run, address: str, directory: Path) -> list[str]:
    """Command that starts the system; hubbub's configuration is written into ``directory``."""
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
    return [str(run.hubbub), "run", "-c", str(directory / "hub.conf")]


def publisher(run: Run, address: str) -> list[str]:
    """Command that starts the publisher: a broker's usual client, or a plain PUB socket."""
    arguments = [address, str(run.count), str(run.size), str(run.rate)]
    if run.system in CATALOGUE:
        script = HERE / "brokers" / f"{CATALOGUE[run.system].script}_publisher.py"
        return [str(BROKERS.python()), str(script), *arguments]
    return [sys.executable, str(HERE / "publisher.py"), *arguments]


def environment(run: Run, directory: Path) -> dict[str, str]:
    """Environment of the system under test."""
    settings = {"directory": str(directory), "count": run.count, "latency": run.latency}
    return {**os.environ, "HUBBUB_BENCH": json.dumps(settings)}
