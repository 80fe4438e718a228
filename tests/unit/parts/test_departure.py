"""The last lines of a hub that stops."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from hub.parts.departure import tell_the_end
from hub.stats.counters import Counters, QueueStats
from tests.unit.desk import Desk
from tests.unit.doubles import RecordingLog, messages


@pytest.mark.parametrize("late", [True, False])
def test_who_is_late_is_named_and_what_is_left_is_told(late: bool) -> None:
    busy, idle, log = Desk(), Desk(), RecordingLog()
    busy.offer(messages(3))
    busy.finish(1)
    gone = threading.Event()
    gone.set()
    slow = SimpleNamespace(source=busy.queue, gone=threading.Event(), busy_with="start()")
    leaving = [*([slow] if late else []), SimpleNamespace(source=idle.queue, gone=gone)]
    members = {"busy": SimpleNamespace(queue=busy.queue), "idle": SimpleNamespace(queue=idle.queue)}
    stats = QueueStats(Counters(finished=4, failed=2, dead=1), 0, 0, None)
    queues = SimpleNamespace(jobs={"thumbs": SimpleNamespace(stats=lambda: stats)})
    consumers: Any = SimpleNamespace(leaving=leaving, members=members, orphans={}, queues=queues)
    tell_the_end(consumers, log)
    named = [] if not late else ["consumer test did not finish start() in time"]
    assert log.lines() == [
        *named,
        "consumer busy: received 3, finished 1, dead 0, dropped 0, left 2",
        "consumer idle: received 0, finished 0, dead 0, dropped 0, left 0",
        "consumer thumbs: finished 4 jobs, 2 failed attempts, 1 dead",
    ]
    assert [record.levelname for record in log.records][-3:] == ["WARNING", "INFO", "INFO"]
