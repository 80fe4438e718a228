"""The memory of the process: what is known of it, and where nothing is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hub.memory import Memory
from hub.parts.queue_entry import Member
from hub.queue.policy import QueuePolicy
from hub.queue.queue import Queue
from hub.resident import Resident
from hub.stats.rates import Rates
from hub.store.memory import MemoryStore
from tests.support import ROOT
from tests.unit.doubles import consumer_part, messages, offer


def member(count: int = 0) -> Member:
    """Its consumer has no threads, so that so many messages wait."""
    queue = Queue("c", QueuePolicy(), MemoryStore(), lambda: 0.0, lambda: 0.0)
    offer(queue, messages(count))
    return Member(consumer_part("c"), queue, None, Rates())  # type: ignore[arg-type]


STORE = {"pending_bytes": 30, "cached_bytes": 4}
BODIES = sum(len(message.body) for message in messages(3))


def test_what_has_come_since_the_start_is_told_without_the_messages_in_memory() -> None:
    memory = Memory([5000, 9000, 5000 + 34].pop)
    memory.begin([], STORE)
    told = memory.status([member(3), member()], STORE)
    assert told == {"resident_bytes": 9000, "unaccounted_bytes": 9000 - 5000 - 34 - BODIES}
    assert memory.status([], {})["unaccounted_bytes"] == 0, "never less than nothing"


def test_a_body_that_several_queues_share_counts_once() -> None:
    memory = Memory([9000, 5000].pop)
    memory.begin([], {})
    assert memory.status([member(3), member(3), member(2)], {})["unaccounted_bytes"] == 4000 - BODIES


def test_what_waits_at_the_start_is_known_as_well() -> None:
    memory = Memory([5000, 5000].pop)
    memory.begin([member(3)], {})
    assert memory.status([], {})["unaccounted_bytes"] == BODIES


def test_before_the_start_it_is_not_told_apart() -> None:
    assert Memory(lambda: 7).status([], {}) == {"resident_bytes": 7, "unaccounted_bytes": None}


def test_this_process_has_some() -> None:
    resident = Resident()
    assert 1 << 20 < (resident() or 0) < 1 << 40
    resident.close()
    assert resident() is None


@pytest.mark.parametrize("content", [b"", b"12", b"12 many 3", None])
def test_where_proc_says_nothing_that_can_be_understood_nothing_is_known(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "statm").write_bytes(content)
    resident = Resident(tmp_path / "statm")
    assert resident() is None
    memory = Memory(resident)
    memory.begin([], {})
    assert memory.status([], {}) == {"resident_bytes": None, "unaccounted_bytes": None}
    resident.close()


FREED = """
import sys
from hub.resident import Resident, give_back_large_blocks
if sys.argv[1] == "given back":
    give_back_large_blocks()
resident, size = Resident(), 4 << 20
bytes(size)  # glibc goes by what is freed
large, small = [], []
for _ in range(40):
    large.append(b"x" * size)
    small.append(b"x" * 200_000)  # between them, so that they are no end of the heap
before = resident()
large.clear()
print((before - resident()) >> 20)
"""


def test_the_memory_of_large_messages_is_given_back() -> None:
    def freed(how: str) -> int:
        command = [sys.executable, "-c", FREED, how]
        return int(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout)

    assert freed("given back") >= 150
    assert freed("kept") < 100, "the C library does so by itself: there is no need to ask"
