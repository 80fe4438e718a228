"""One measurement of procrastinate, in its own virtual environment: prints a line of JSON.

``python procrastinate_program.py MEASURE DSN COUNT [RATE]``; it needs nothing of hubbub.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import procrastinate  # type: ignore[import-not-found,unused-ignore]

BULK = 5000
"""Jobs of one call of ``batch_defer``."""
CONCURRENCY = 10
"""Jobs that its worker does at a time: more were not faster."""


def body(stamp: float = 0.0) -> dict[str, object]:
    """What a job has with it: the same for all systems."""
    return {"path": "/srv/pictures/2026/11/30/0001.jpeg", "size": 320, "stamp": stamp}


class Bench:
    """An application with one task, which does nothing."""

    def __init__(self, dsn: str) -> None:
        self.app: Any = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=dsn))
        self.done = 0
        self.wanted = 0
        self.ended = asyncio.Event()
        self.latencies: list[tuple[float, float]] = []
        self.task: Any = self.app.task(name="bench", queue="benchmark")(self._work)

    async def _work(self, path: str, size: int, stamp: float) -> None:
        self.latencies.append((stamp, time.monotonic() - stamp))
        self.done += 1
        if self.done == self.wanted:
            self.ended.set()

    async def insert(self, count: int, _: float) -> dict[str, object]:
        """Each in a transaction of its own."""
        began = time.perf_counter()
        for _number in range(count):
            await self.task.defer_async(**body())
        return {"rate": count / (time.perf_counter() - began)}

    async def bulk(self, count: int, _: float) -> dict[str, object]:
        """Many in a statement."""
        began = time.perf_counter()
        for start in range(0, count, BULK):
            await self.task.batch_defer_async(*[body()] * min(BULK, count - start))
        return {"rate": count / (time.perf_counter() - began)}

    async def work(self, count: int, _: float) -> dict[str, object]:
        """Work them as long as there are any."""
        began = time.perf_counter()
        await self.app.run_worker_async(
            wait=False, concurrency=CONCURRENCY, listen_notify=False, install_signal_handlers=False
        )
        seconds = time.perf_counter() - began
        if self.done < count:
            raise RuntimeError(f"worked {self.done} jobs of {count}")
        return {"rate": self.done / seconds}

    async def wait(self, count: int, _: float) -> dict[str, object]:
        """Work jobs as they come. Its latencies, each with the time before its insert."""
        self.wanted = count
        worker = asyncio.create_task(self.app.run_worker_async(concurrency=CONCURRENCY, install_signal_handlers=False))
        await asyncio.sleep(1.0)  # it tells nobody when it listens
        print("ready", flush=True)
        await self.ended.wait()
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
        return {"latencies": self.latencies}

    async def feed(self, count: int, rate: float) -> dict[str, object]:
        """Insert jobs at a rate, each with the time before its insert."""
        began = time.monotonic()
        for number in range(count):
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
            await self.task.defer_async(**body(time.monotonic()))
        return {"rate": count / (time.monotonic() - began)}


async def main() -> None:
    """Measure, and print."""
    measure, dsn, count, *rate = sys.argv[1:]
    bench = Bench(dsn)
    async with bench.app.open_async():
        if not await bench.app.check_connection_async():
            await bench.app.schema_manager.apply_schema_async()
        found = await getattr(bench, measure)(int(count), float(rate[0]) if rate else 0.0)
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
