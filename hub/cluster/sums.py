"""The queues of all nodes, summed by name, with the time to catch up by the rule of a single queue. Pure.

A queue that all hubs share, such as one of jobs in a database, is not summed: each hub announces the same numbers, and
those of one of them are taken.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from hub.cluster.announcement import QueueNews, total
from hub.stats.catchup import UNKNOWN, CatchUp
from hub.stats.rates import Rates
from hub.stats.words import caught_up
from hub.status.clusters import ClusterQueueStatus

News = Mapping[str, Sequence[QueueNews]]
"""The queues of each node, by a word that differs between starts of hubs."""


class QueueSum:
    """The sum of the queues of one name.

    :ivar news: their numbers together. :ivar nodes: number of nodes that have the queue.
    """

    def __init__(self) -> None:
        self.news = QueueNews("-")
        self.nodes = self.paused = 0
        self._rates = Rates()
        self._of: frozenset[str] = frozenset()

    def sample(self, now: float, name: str, parts: Mapping[str, QueueNews]) -> None:
        """Take in the numbers of the nodes that have the queue. :param now: monotonic seconds."""
        before, self.news = self.news, _together(name, parts)
        self.nodes, self.paused = len(parts), sum([part.paused for part in parts.values()])
        if self._of != parts.keys() or self.news.received < before.received or self.news.settled < before.settled:
            self._rates.restart()  # the numbers begin anew: a node has come, gone, or lost its queue
        self._of = frozenset(parts)
        self._rates.sample(now, self.news.stats(), self.news.busy)

    def row(self, wall: float) -> ClusterQueueStatus:
        """The row of the status. :param wall: epoch seconds."""
        news, found = self.news, self._catch_up()
        numbers: ClusterQueueStatus = {
            "nodes": self.nodes,
            "paused_nodes": self.paused,
            "backlog": news.backlog,
            "in_flight": news.in_flight,
            "delayed": news.delayed,
            "threads": news.threads,
            "rate_in": news.rate_in,
            "rate_out": news.rate_out,
            "oldest_age": news.oldest_age,
            "dead_letters": news.dead_letters,
            "shared": news.shared,
            "paused": news.paused,
            "state": "paused" if news.paused else "running",
            "trend": found.trend,
            "catch_up_seconds": found.seconds,
            "catch_up_at": None if found.seconds is None else wall + found.seconds,
            "catch_up_estimated": found.estimated,
            "catch_up_alone_seconds": found.alone,
            "caught_up": "",
            "caught_up_detail": "",
            "caught_up_kind": "unknown",
        }
        words = caught_up(numbers)
        return {
            **numbers,
            "caught_up": words.text,
            "caught_up_detail": words.detail,
            "caught_up_kind": words.kind,
        }

    def _catch_up(self) -> CatchUp:
        if self.news.backlog and self.news.paused:
            return UNKNOWN  # the length of a pause is not known
        return self._rates.catch_up(self.news.stats(), self.news.threads)


class QueueSums:
    """The sums of all queues."""

    def __init__(self) -> None:
        self._sums: dict[str, QueueSum] = {}

    def sample(self, now: float, news: News) -> None:
        """Take in the numbers of all nodes that are there. :param now: monotonic seconds."""
        parts: dict[str, dict[str, QueueNews]] = defaultdict(dict)
        for start, queues in news.items():
            for queue in queues:
                parts[queue.name][start] = queue
        self._sums = {name: self._sums.get(name) or QueueSum() for name in sorted(parts)}
        for name, one in self._sums.items():
            one.sample(now, name, parts[name])

    def rows(self, wall: float) -> dict[str, ClusterQueueStatus]:
        """The rows of the status, by name. :param wall: epoch seconds."""
        return {name: one.row(wall) for name, one in self._sums.items()}


def _together(name: str, parts: Mapping[str, QueueNews]) -> QueueNews:
    """The sum of the nodes' numbers; of a shared queue those of one node, the same one each time."""
    shared = [part for _, part in sorted(parts.items()) if part.shared]
    own = [part for part in parts.values() if not part.shared]
    return shared[0] if shared and not own else total(name, [*own, *shared[:1]])
