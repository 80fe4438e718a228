"""Redis backend beside a plain redis-py loop: entries of one stream, read by a group and acknowledged, same batch.

``python -m benchmarks.redis_streams --rounds 5``. Both run in processes of their own, in turn, on one server.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import redis

from benchmarks.machine import machine
from benchmarks.processes import free_port

STREAM, BATCH = "work", 500
WANTED = 0.8
CONFIGURATION = """
[hub]
state_dir = "state"
[backends.bus]
type = "redis"
connect = "redis://127.0.0.1:{port}"
streams = ["work"]
group = "{group}"
count = {batch}
[consumers.nothing]
type = "consumer.py:Nothing"
durable = {durable}
"""
CONSUMER = """
from hub import Consumer

class Nothing(Consumer):
    topics = ["#"]
    def consume_batch(self, messages):
        pass
"""


@contextmanager
def server(directory: Path) -> Iterator[int]:
    """Run a server that keeps nothing on disk: what is measured is the reading. :returns: its port."""
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(directory)]
    process = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)
    try:
        client = redis.Redis(port=port)
        until(lambda: answers(client))
        yield port
    finally:
        process.terminate()
        process.wait()


def answers(client: Any) -> bool:
    """True if the server answers."""
    try:
        return bool(client.ping())
    except redis.exceptions.ConnectionError:
        return False


def until(condition: Any) -> None:
    """Wait until it is so."""
    while not condition():
        time.sleep(0.005)


def fill(port: int, count: int, size: int) -> None:
    """Add entries to a new stream."""
    client, body = redis.Redis(port=port), b"x" * size
    client.delete(STREAM)
    for start in range(0, count, 1000):
        pipeline = client.pipeline(transaction=False)
        for number in range(start, min(start + 1000, count)):
            pipeline.xadd(STREAM, {"id": f"{number:032}", "topic": "a.b", "body": body})
        pipeline.execute()


def acknowledged(client: Any, group: str, count: int) -> bool:
    """True if a group has read and acknowledged so many entries."""
    rows = [row for row in client.xinfo_groups(STREAM) if row["name"] == group.encode()]
    return bool(rows) and rows[0]["entries-read"] == count and rows[0]["pending"] == 0


def plain(port: int, count: int) -> None:
    """The loop that one writes with redis-py. Prints its rate."""
    client, done = redis.Redis(port=port, protocol=2), 0
    client.xgroup_create(STREAM, "plain", id="0")
    began = time.perf_counter()
    while done < count:
        for _, entries in client.xreadgroup("plain", "me", {STREAM: ">"}, count=BATCH, block=4000) or ():
            done += len(entries)
            client.xack(STREAM, "plain", *[entry for entry, _ in entries])
    print(count / (time.perf_counter() - began))


def hubbub(port: int, count: int, durable: bool) -> float:
    """A hub with one consumer that does nothing. :returns: entries a second, from the first to the last
    acknowledgement; the hub's start is left out."""
    group = "hub-durable" if durable else "hub-memory"
    client = redis.Redis(port=port)
    client.xgroup_create(STREAM, group, id="0")
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        given = {"port": port, "group": group, "batch": BATCH, "durable": str(durable).lower()}
        (directory / "hub.conf").write_text(CONFIGURATION.format(**given))
        (directory / "consumer.py").write_text(CONSUMER)
        hub = Path(sys.executable).with_name("hubbub")
        command = [str(hub), "run", "-c", str(directory / "hub.conf")]
        process = subprocess.Popen(command, cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            until(lambda: client.xinfo_groups(STREAM) and started(client, group))
            began = time.perf_counter()
            until(lambda: acknowledged(client, group, count))
            return count / (time.perf_counter() - began)
        finally:
            process.terminate()
            process.wait()


def started(client: Any, group: str) -> bool:
    """True if the group has read something."""
    return any(row["name"] == group.encode() and row["entries-read"] for row in client.xinfo_groups(STREAM))


def round_of(port: int, count: int, size: int) -> dict[str, float]:
    """Measure all once."""
    fill(port, count, size)
    command = [sys.executable, "-m", "benchmarks.redis_streams", "--plain", str(port), "--count", str(count)]
    loop = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return {"redis-py loop": loop, "hubbub, in memory": hubbub(port, count, False), "hubbub": hubbub(port, count, True)}


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.redis_streams", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often everything is measured (5)")
    parser.add_argument("--count", type=int, default=100_000, help="entries (100000)")
    parser.add_argument("--size", type=int, default=500, help="bytes of a body (500)")
    parser.add_argument("--plain", type=int, metavar="PORT", help="only the loop, on a server that is filled")
    given = parser.parse_args()
    if given.plain:
        plain(given.plain, given.count)
        return
    print(machine())
    rounds = []
    with tempfile.TemporaryDirectory() as place, server(Path(place)) as port:
        for _ in range(given.rounds):
            rounds.append(round_of(port, given.count, given.size))
            print("; ".join(f"{name} {rate:,.0f}/s" for name, rate in rounds[-1].items()), flush=True)
    loops = [one["redis-py loop"] for one in rounds]
    for name in list(rounds[0])[1:]:
        ratios = [one[name] / loop for one, loop in zip(rounds, loops, strict=True)]
        rates = median(one[name] for one in rounds)
        print(f"{name}: {rates:,.0f}/s, {median(ratios):.2f} of the loop ({min(ratios):.2f} to {max(ratios):.2f})")
    print(f"redis-py loop: {median(loops):,.0f}/s. Wanted: {WANTED} of it.")


if __name__ == "__main__":
    main()
