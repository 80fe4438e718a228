"""Hubs that share one queue of a broker, of which one is killed at random, again and again."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol

from tests.support import PATIENCE, wait_until
from tests.system.hubs import RunningHub

AT_ONCE = 200
"""Messages that are published before each kill."""
PREFETCH = 50
TAKES = 0.005
"""Seconds of the work on a message."""
SHARED_WITHIN = 5.0 * PATIENCE
"""Seconds after a kill, within which the others have done all that was published."""


class Node(Protocol):
    """A hub whose consumer notes numbers."""

    hub: RunningHub

    def connected(self) -> None:
        """Wait until it is."""

    def noted(self) -> Counter[int]:
        """How often it has worked each number."""


def worked(nodes: Sequence[Node]) -> Counter[int]:
    """How often each number was worked, by all of them."""
    return sum((node.noted() for node in nodes), Counter[int]())


def kill_nodes(
    nodes: Sequence[Node], publish: Callable[[Sequence[int]], None], kills: int, chance: random.Random
) -> int:
    """Kill one at random while it works, ``kills`` times, and start it again when the others have done all.

    :returns: number of the messages, which are the numbers below it. :param publish: returns when all are confirmed.
    """
    count, times = 0, []
    for _ in range(kills):
        victim = chance.choice(nodes)
        before = victim.noted().total()
        publish(range(count, count + AT_ONCE))
        count += AT_ONCE
        wait_until(lambda: victim.noted().total() > before, 30, "the node to work")  # noqa: B023
        time.sleep(chance.uniform(0.0, AT_ONCE * TAKES / len(nodes)))
        victim.hub.process.kill()
        killed = time.monotonic()
        victim.hub.process.wait()
        wait_until(lambda: len(worked(nodes)) == count, 60, "the others to do all")  # noqa: B023
        times.append(time.monotonic() - killed)
        victim.hub.__enter__()
        victim.connected()
    print(f"{kills} kills: all was done {max(times):.1f} s after each at most, {sum(times) / kills:.1f} s in the mean")
    assert max(times) <= SHARED_WITHIN
    return count


def check(nodes: Sequence[Node], count: int, repeats: int) -> None:
    """Check that all was worked, and how much of it again."""
    found = worked(nodes)
    print(f"{count} messages, {found.total() - count} worked again, may be {repeats}")
    assert set(found) == set(range(count))
    assert found.total() - count <= repeats
