"""A hub's view of its cluster: it announces itself, hears the others, and tells what it knows of all."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ConfigDict
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from hub import __version__
from hub.cluster.announcement import Announcement, bounded
from hub.cluster.hearing import Hearing
from hub.cluster.members import MISSED, VANISHED, Members, Notice
from hub.cluster.names import LONGEST_SHOWN, shown_name
from hub.cluster.own import queues_of, reasons_of
from hub.cluster.rows import cluster_row, node_row
from hub.cluster.seal import LEAST_KEY, RefusedAnnouncement, Seal
from hub.cluster.sums import QueueSums
from hub.cluster_access import CHECK_EVERY, ClusterContext
from hub.errors import ConfigError, HubError
from hub.failure import told
from hub.message import Message
from hub.secret import Secret
from hub.settings import Duration, SecretRef, Settings, setting
from hub.statefiles import SYSTEM_STATE
from hub.status.clusters import NodeStatus
from hub.text import counted, printable
from hub.throttle import Throttle

NAMED_WITHIN = 15.0
"""Seconds within which a node that vanishes is named, unless ``interval`` is longer than makes it possible."""
REPORT_EVERY = 60.0
"""Seconds in which one announcement that was refused is logged for each reason; the others are counted."""


class Config(Settings):
    """Settings of the bus, the key and the times."""

    # Secret is a plain class, which pydantic checks by isinstance only with this option.
    model_config = ConfigDict(arbitrary_types_allowed=True)

    backend: str = setting(
        ...,
        "Name of the backend on whose bus the hubs announce themselves. What it publishes must reach every hub, as "
        "what goes to a topic or a channel does, and each must receive it.",
        example="zeromq",
        min_length=1,
    )
    topic: str = setting(
        "hubbub.cluster",
        "Topic of the announcements. No message of this topic reaches a queue, whatever bus it comes from.",
        pattern=r"^[^\s.*#]+(\.[^\s.*#]+)*$",
        max_length=200,
    )
    interval: Duration = setting(
        "3s",
        "Time between two announcements. A node of which three fail to come has vanished; with more than 4 s it is "
        "not named within 15 s.",
        ge=0.1,
        le=60,
    )
    node: str | None = setting(
        None,
        "Name of this hub among the nodes. Unset: that of the machine; with the state directory, unless that is "
        "/var/lib/hubbub, as a machine may have several hubs.",
        min_length=1,
        max_length=LONGEST_SHOWN,
        example="alpha",
    )
    key: SecretRef | None = setting(
        None,
        "A key that all hubs share, as 'file:/path' or 'credential:name', of at least 16 characters: announcements are "
        "signed with it (HMAC-SHA256), and others are refused. Unset: whoever can publish on the bus can pose as a "
        "node.",
    )
    second_key: SecretRef | None = setting(
        None,
        "Another key, whose announcements are taken too, while one hub after the other changes its key: each signs "
        "with 'key'.",
    )
    forget_after: Duration = setting("1d", "How long a node is shown that has left or vanished.", ge=1)

    def contradictions(self) -> Iterator[str]:
        """Yield each combination of settings that can't be."""
        if self.second_key is not None and self.key is None:
            yield "second_key needs key, with which this hub signs"
        if self.node is not None and self.node != shown_name(self.node):
            yield f"node: {self.node!r} can't be shown as it is: expected no control characters, and single spaces"

    def named_after(self) -> float | None:
        """Seconds after which a node that vanishes is named at the latest, if these are more than
        :data:`NAMED_WITHIN`."""
        latest = MISSED * self.interval + 2 * CHECK_EVERY
        return latest if latest > NAMED_WITHIN else None


class Cluster:
    """The nodes of a cluster, by their announcements on a bus."""

    Config: type[Settings] = Config
    topic: str
    backend: str
    interval: float

    def __init__(self, context: ClusterContext) -> None:
        config: Config = context.config
        self.topic, self.backend, self.interval = config.topic, config.backend, config.interval
        self.node = config.node or default_node(socket.gethostname(), context.state_dir)
        self._context, self._config, self._log = context, config, context.log
        self._seal = Seal(config.topic)
        self._started = False
        self._members = Members(self.node, context.start, config.forget_after)
        self._sums = QueueSums()
        self._own: Announcement | None = None
        self._began = context.wall()
        self._number = self._echo = self._announced = self._not_announced = self._heard = 0
        self._refused: Counter[str] = Counter()
        self._throttle: Throttle[str] = Throttle(1, REPORT_EVERY, 20)
        self._sending: Deferred[None] | None = None
        self._error: str | None = None
        self._failure_told = self._deaf_told = False
        self._hearing = Hearing(config.interval, False, context.monotonic())
        self._deaf: str | None = None

    def start(self) -> None:
        """Read the key, and begin."""
        config = self._config
        keys = [_key_of(name, ref) for name, ref in (("key", config.key), ("second_key", config.second_key)) if ref]
        if not keys:
            text = "announcements are not signed: whoever can publish to backend %s can pose as a node; set 'key'"
            self._log.warning(text, self.backend, extra={"action": "expose"})
        self._seal = Seal(self.topic, *keys)
        self._hearing = Hearing(self.interval, self._context.echoes(), self._context.monotonic())
        self._started = True

    # -- hearing

    def hear(self, messages: Sequence[Message]) -> None:
        """Take in announcements. Those that can't be trusted are refused, counted, and logged now and then.

        None is heard before the start: the key is not known yet.
        """
        for message in messages if self._started else ():
            try:
                if message.backend != self.backend:
                    raise RefusedAnnouncement("elsewhere", f"it came over backend {message.backend}")
                announcement = self._seal.open(message.body)
                now = self._context.monotonic()
                if announcement.start == self._context.start:
                    self._echoed(announcement, now)
                    continue
                self._tell(self._members.hear(announcement, now, self._context.wall()))
                self._members.pass_over(self._hearing.came(now), now)
                self._heard += 1
            except RefusedAnnouncement as error:
                self._refuse(error)

    def _refuse(self, error: RefusedAnnouncement) -> None:
        self._refused[error.reason] += 1
        if self._throttle.hold(error.reason, self._context.monotonic()) is None:
            text = "an announcement is refused (%s): %s"
            self._log.warning(text, error.reason, printable(str(error)[:200]), extra={"action": "refuse"})

    def _echoed(self, announcement: Announcement, now: float) -> None:
        """Note that an announcement of this hub came back. One that did before says nothing: somebody may repeat it."""
        if self._echo < announcement.number <= self._number:
            self._echo = announcement.number
            self._hearing.echoes = True
            self._members.pass_over(self._hearing.came(now), now)

    def check(self) -> None:
        """Look for nodes that are silent. What was said while this hub could not hear counts for nothing."""
        now = self._context.monotonic()
        self._members.pass_over(self._hearing.look(now), now)
        self._deaf = self._context.deaf()
        if self._deaf is not None:
            self._hearing.wait(now)
        else:
            self._deaf = self._hearing.deaf(now)
            self._tell_deaf(self._deaf)
        hears = self._deaf is None
        events = self._members.check(now, self._context.wall(), hears, self._hearing.until(now))
        self._tell(events)
        if (
            not self._hearing.echoes
            and any(event.words == VANISHED for event in events)
            and self._members.all_vanished()
        ):
            text = "no other node is heard over backend %s: all are away, or this hub is cut off from the bus"
            self._log.warning(text, self.backend, extra={"action": "cluster"})
        for burst in self._throttle.over(now):
            more = counted(burst.held, "further announcement")
            self._log.warning("%s refused (%s)", more, burst.kind, extra={"action": "refuse"})

    def _tell_deaf(self, why: str | None) -> None:
        """Log that this hub hears nothing although its bus is there; of a bus that is away, its backend tells."""
        if why is not None and not self._deaf_told:
            text = "this hub does not hear the other nodes over backend %s, and judges none of them: %s"
            self._log.warning(text, self.backend, why, extra={"action": "cluster"})
        elif why is None and self._deaf_told:
            self._log.info("this hub hears announcements again", extra={"action": "cluster"})
        self._deaf_told = why is not None

    def _tell(self, events: Sequence[Notice]) -> None:
        for event in events:
            self._log.log(event.level, event.words, *event.values, extra={"action": "cluster", "node": event.node})

    # -- announcing

    def announce(self) -> None:
        """Announce this hub, and take a sample of the sums. A hub that hears nothing announces itself all the same.
        While the last announcement is on its way there is no other: an old one is worthless."""
        self._own = own = self._announcement(leaving=False)
        present = {start: node.last.all_queues() for start, node in self._members.counted()}
        self._sums.sample(self._context.monotonic(), {**present, own.start: own.all_queues()})
        if self._sending is not None:
            self._not_announced += 1
        else:
            self._send(own)

    def leave(self, stops: bool) -> Deferred[None] | None:
        """Announce that this hub leaves, whether or not the bus has confirmed the last announcement.

        :param stops: the hub stops; else its settings have changed.
        """
        return self._send(self._announcement(leaving=True, reload=not stops))

    def _send(self, announcement: Announcement) -> Deferred[None] | None:
        try:
            sending = self._context.send(self.topic, self._seal.close(announcement))
        except HubError as error:
            self._failed(told(error))
            return None
        if sending is None:
            self._sent()
            return None
        self._sending = sending
        return sending.addCallbacks(lambda _: self._sent(), lambda failure: self._not_sent(failure))

    def _sent(self) -> None:
        self._announced += 1
        self._sending = self._error = None
        self._failure_told = False

    def _not_sent(self, failure: Failure) -> None:
        self._sending = None
        self._failed(told(failure.value or HubError("it was not sent")))

    def _failed(self, why: str) -> None:
        self._not_announced += 1
        self._error = why
        if not self._failure_told and self._context.deaf() is None:  # of a bus that is away, its backend tells
            self._failure_told = True
            self._log.warning("this hub can't announce itself: %s", why, extra={"action": "cluster"})

    def _announcement(self, leaving: bool, reload: bool = False) -> Announcement:
        self._number += 1
        status = self._context.snapshot()
        queues, others, left_out = bounded(queues_of(status, self._context.shared()))
        return Announcement(
            self.node,
            self._context.start,
            self._number,
            self._began,
            self._context.wall(),
            self.interval,
            __version__[:64],
            status["hub"]["state"],
            leaving,
            reload,
            self._context.follows,
            reasons_of(status),
            queues,
            others,
            left_out,
        )

    # -- the status

    def status(self) -> Mapping[str, Any]:
        """Return the row of the cluster for the status."""
        now, wall = self._context.monotonic(), self._context.wall()
        rows: dict[str, NodeStatus] = {}
        if self._own is not None:
            rows[self.node] = node_row(self._own, "present", self._began, 0.0, own=True)
        for name, node in self._members.named():
            state = "unheard" if self._deaf is not None and node.unheard(now) else node.state
            rows[name] = node_row(node.last, state, node.since, node.silent(now))
        counts = {
            "node": self.node,
            "backend": self.backend,
            "topic": self.topic,
            "signed": self._seal.signs,
            "deaf_because": self._deaf,
            "announced": self._announced,
            "not_announced": self._not_announced,
            "heard": self._heard,
            "refused": dict(self._refused),
            "last_error": self._error,
        }
        return {**counts, **cluster_row(rows, self._sums.rows(wall), "listening" if self._deaf is None else "deaf")}


def default_node(host: str, state_dir: Path) -> str:
    """The name of a hub that is given none. :param state_dir: no two hubs of a machine have the same."""
    name = shown_name(host or "localhost")
    if state_dir == SYSTEM_STATE:
        return name
    place = " ".join(printable(str(state_dir)).split())
    room = LONGEST_SHOWN - len(name) - 1
    return shown_name(f"{name}:{place if len(place) <= room else '…' + place[len(place) - max(room, 1) + 1 :]}")


def _key_of(name: str, ref: Secret) -> bytes:
    key = ref.read().encode()
    if len(key) < LEAST_KEY:
        raise ConfigError([f"{name}: the secret must have at least {LEAST_KEY} characters"])
    return key
