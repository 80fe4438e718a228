"""The nodes of a cluster, by what was heard of them. Pure: the caller passes the time.

Whether a node is silent is judged by this hub's own clock alone. The clocks of the hubs need not agree, but for one
thing: an announcement whose time differs by more than :data:`TOLERANCE` is refused, as an old one that is repeated.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterator

import msgspec

from hub.cluster.announcement import Announcement
from hub.cluster.names import shown_name
from hub.cluster.seal import RefusedAnnouncement
from hub.status.states import NodeState
from hub.text import counted
from hub.units import format_duration

TOLERANCE = 300.0
"""Seconds by which the clocks of two hubs may differ."""
MISSED = 3
"""Announcements that must fail to come until a node has vanished: two may be lost on the way."""
MOST_NODES = 200
"""Nodes that are known at once, with those that have gone."""
MOST_ENDED = 1000
"""Starts of nodes that are remembered as ended, so that nobody can repeat their announcements."""
WARNING, INFO = logging.WARNING, logging.INFO
STOPPED = "node %s has left: its hub stops in order"
RELOADED = "node %s has left: its hub has read other settings, and comes again if it is still in the cluster"
VANISHED = "node %s has vanished: nothing was heard of it for %s"


class Notice(msgspec.Struct, frozen=True):
    """Something that happened to a node, for the log.

    :ivar words: the line, with ``%s`` for each of the values: lines of the same words are of one kind. :ivar node: the
        name, as it is shown.
    """

    level: int
    words: str
    values: tuple[str, ...]
    node: str

    @property
    def text(self) -> str:
        """The whole line."""
        return self.words % self.values


class Node(msgspec.Struct):
    """One start of a hub, and its last announcement.

    :ivar heard: monotonic seconds. :ivar listened: monotonic seconds from which on its silence counts: later than
        ``heard``, if this hub could not hear meanwhile.
    :ivar since: epoch seconds since when it is in its state, by this hub's clock.
    :ivar followed: another start of the same name was heard after it: it is counted no more, unless it is heard again.
    """

    last: Announcement
    heard: float
    listened: float
    since: float
    state: NodeState = "present"
    followed: bool = False

    @property
    def counts(self) -> bool:
        """True if its numbers are part of the sums."""
        return self.state == "present" and not self.followed

    def silent(self, now: float) -> float:
        """Seconds since it was heard."""
        return max(0.0, now - self.heard)

    def missed(self, until: float, count: int) -> bool:
        """True if so many of its announcements have failed to come while this hub heard. :param until: monotonic."""
        return until - self.listened >= count * self.last.interval

    def unheard(self, now: float) -> bool:
        """True if it was there, and so many announcements have failed to come that it would have vanished."""
        return self.state == "present" and self.silent(now) >= MISSED * self.last.interval


class Members:
    """The other nodes of the cluster.

    :param node: the name of this hub, ``start``: its own start, of which it may hear its own announcements.
    :param forget_after: seconds after which a node that has gone is forgotten.
    """

    def __init__(self, node: str, start: str, forget_after: float) -> None:
        self._node, self._start = node, start
        self._forget_after = forget_after
        self._nodes: dict[str, Node] = {}
        self._ended: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._told: set[frozenset[str]] = set()

    def hear(self, announcement: Announcement, now: float, wall: float) -> list[Notice]:
        """Take in an announcement. :param now: monotonic seconds. :param wall: epoch seconds.

        :raises RefusedAnnouncement: it is old, or there are too many nodes.
        """
        start, difference = announcement.start, announcement.time - wall
        if start == self._start:
            return []
        if abs(difference) > TOLERANCE:
            which = "ahead" if difference > 0 else "behind"
            raise RefusedAnnouncement("time", f"its time is {format_duration(abs(difference))} {which}")
        known = self._nodes.get(start)
        _, number = self._ended.get(start, (now, 0))
        if announcement.number <= (number if known is None else known.last.number):
            raise RefusedAnnouncement("replayed", "it came before, or a later one did")
        if known is not None:
            return self._again(known, announcement, now, wall)
        if len(self._nodes) >= MOST_NODES and not self._make_room(now):
            raise RefusedAnnouncement("too_many", f"there are {MOST_NODES} nodes already")
        return self._first(announcement, now, wall)

    def _first(self, announcement: Announcement, now: float, wall: float) -> list[Notice]:
        former = self._former(announcement, now)
        name, before = announcement.node, self._called(announcement.node)
        node = Node(announcement, now, now, wall, "left" if announcement.leaving else "present")
        node.followed = name == self._node  # perhaps the last words of this hub's own earlier start
        self._nodes[announcement.start] = node
        back = former is not None
        for start, other in before:
            if other.state == "present":
                other.followed = True
            else:
                back = True
                self._end(start, now)
        if node.followed or announcement.leaving:
            return []
        shown = shown_name(name)
        if former is not None and former.last.node != name:
            old = shown_name(former.last.node)
            return [Notice(INFO, "node %s is called %s now", (old, shown), shown)]
        return [Notice(INFO, "node %s is back" if back or before else "node %s has joined", (shown,), shown)]

    def _former(self, announcement: Announcement, now: float) -> Node | None:
        """The node that the hub was until its settings changed; it is forgotten."""
        start = announcement.follows
        former = None if start is None else self._nodes.get(start)
        if start is None or former is None or former.state != "left":
            return None
        self._end(start, now)
        return former

    def _again(self, node: Node, announcement: Announcement, now: float, wall: float) -> list[Notice]:
        events = []
        name = shown_name(announcement.node)
        node.last, node.heard, node.listened = announcement, now, now
        if announcement.leaving:
            if node.state != "left":
                node.state, node.since, node.followed = "left", wall, False
                events.append(Notice(INFO, RELOADED if announcement.reload else STOPPED, (name,), name))
            return events
        if node.state != "present":
            gone = format_duration(max(0.0, wall - node.since))
            node.state, node.since = "present", wall
            events.append(Notice(INFO, "node %s is back, after %s", (name, gone), name))
        if node.followed:
            node.followed = False
            events += self._doubled(announcement)
        return events

    def _doubled(self, announcement: Announcement) -> Iterator[Notice]:
        starts = {start for start, _ in self._called(announcement.node)}
        if announcement.node == self._node:
            starts.add(self._start)
        pair = frozenset(starts)
        if len(pair) > 1 and pair not in self._told and len(self._told) < MOST_ENDED:
            self._told.add(pair)
            name = shown_name(announcement.node)
            words = "%s call themselves node %s: give each its own 'node'"
            yield Notice(WARNING, words, (counted(len(pair), "hub"), name), name)

    def pass_over(self, seconds: float, now: float) -> None:
        """Leave a time out of account in which this hub could not hear. :param now: monotonic seconds, its end."""
        if seconds > 0.0:
            for node in self._nodes.values():
                node.listened = min(now, node.listened + seconds)

    def check(self, now: float, wall: float, hears: bool = True, until: float | None = None) -> list[Notice]:
        """Look for nodes that are silent, and forget those that are long gone.

        :param hears: false while the bus gives this hub no announcements: the silence says nothing about others then.
        :param until: monotonic seconds up to which this hub has heard what was said; ``None``: up to now. It may be an
            interval ago; so one announcement less must have failed to come by then.
        """
        events = []
        until = now if until is None else until
        for start, node in list(self._nodes.items()):
            name, silent = shown_name(node.last.node), node.silent(now)
            if node.state != "present":
                if wall - node.since >= self._forget_after:
                    self._end(start, now)
                    events.append(Notice(INFO, "node %s, which has %s, is forgotten", (name, node.state), name))
            elif not hears:
                node.listened = now
            elif node.missed(now, MISSED) and node.missed(until, MISSED - 1):
                if node.followed:
                    self._end(start, now)
                    continue
                node.state, node.since = "vanished", wall - silent
                events.append(Notice(WARNING, VANISHED, (name, format_duration(silent)), name))
        while self._ended and next(iter(self._ended.values()))[0] < now - 2 * TOLERANCE:
            self._ended.popitem(last=False)
        return events

    def named(self) -> Iterator[tuple[str, Node]]:
        """The nodes with their names. Where two have the same, all but the first have a part of their start added."""
        taken = {self._node}
        for start, node in sorted(self._nodes.items(), key=lambda item: (item[1].last.node, item[1].last.began)):
            if not node.followed:
                name = node.last.node
                for mark in (start[:8], start):  # a node may be called like another one with its mark
                    name = f"{node.last.node} ({mark})" if name in taken else name
                taken.add(name)
                yield name, node

    def counted(self) -> Iterator[tuple[str, Node]]:
        """The nodes whose numbers count, by their starts."""
        return ((start, node) for start, node in self._nodes.items() if node.counts)

    def all_vanished(self) -> bool:
        """True if there were several nodes, and each that has not left has vanished."""
        states = [node.state for node in self._nodes.values() if node.state != "left" and not node.followed]
        return len(states) > 1 and set(states) == {"vanished"}

    def _called(self, name: str) -> list[tuple[str, Node]]:
        return [(start, node) for start, node in self._nodes.items() if node.last.node == name]

    def _make_room(self, now: float) -> bool:
        """Forget the node that has been gone for longest. :returns: whether there was one."""
        gone = [(node.since, start) for start, node in self._nodes.items() if node.state != "present"]
        if gone:
            self._end(min(gone)[1], now)
        return bool(gone)

    def _end(self, start: str, now: float) -> None:
        self._ended.pop(start, None)
        self._ended[start] = now, self._nodes.pop(start).last.number
        if len(self._ended) > MOST_ENDED:
            self._ended.popitem(last=False)
