"""The watch on the Sentinels: its thread outlives what nobody expects."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from hub.backends.redis import watch as module
from hub.backends.redis.line import Lost
from hub.backends.redis.watch import Watch
from tests.support import wait_until
from tests.unit.doubles import RecordingLog


def test_it_asks_on_after_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "INTERVAL", 0.001)
    asked: list[int] = []
    threads: list[threading.Thread] = []

    class Sentinels:
        def master(self) -> str:
            asked.append(1)
            raise Lost("nobody answers") if len(asked) == 1 else ValueError("a fault")

    def start(function: Any, name: str) -> None:
        threads.append(threading.Thread(target=function, name=name, daemon=True))
        threads[0].start()

    log, sentinels = RecordingLog(), Sentinels()
    given: Any = sentinels
    watch = Watch(given, list, log, start)
    watch.start()
    wait_until(lambda: len(asked) >= 3, 20, "it to ask on")
    watch.stop()
    threads[0].join(20)
    assert not threads[0].is_alive()
    assert log.lines()[0] == "unexpected error; asking on"
