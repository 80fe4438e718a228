"""Settings of one queue: bounds, overflow, order, age, and the size of its ready window. Pure data."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Literal

from hub.message import Message

OverflowMode = Literal["block", "drop_oldest", "drop_newest"]
"""Overflow mode of a full queue: hold back the buses (``block``), or drop messages and count them."""

KeyOf = Callable[[Message], Hashable]
"""Key function: messages with equal keys keep their order."""


@dataclass(frozen=True)
class Window:
    """Bounds of the messages that a durable queue holds in memory; the others are read from the store later.

    :ivar count: messages. :ivar size: bytes of bodies.
    """

    count: int
    size: int


WINDOW = Window(8192, 4 << 20)
"""The default window: large enough that threads seldom wait for the disk, small enough for 100 queues."""


@dataclass(frozen=True)
class QueuePolicy:
    """The settings of one queue; a reload may replace them.

    :ivar max_backlog: messages; ``None``: no bound. :ivar max_bytes: bytes of bodies; ``None``: no bound.
    :ivar key_of: messages with equal keys are handled one at a time, in order; ``None``: messages have no key.
    :ivar max_age: seconds after which an untried message is dropped; ``None``: never.
    :ivar expires: whether messages are dropped at the time of their header :data:`hub.headers.EXPIRES`.
    :ivar purge_tried: whether a purge drops messages that were tried and wait for another attempt, too.
    :ivar max_kills: number of kills of the hub while a message is in flight, after which it is a dead letter.
    """

    max_backlog: int | None = 100_000
    max_bytes: int | None = 128 << 20
    overflow: OverflowMode = "drop_newest"
    key_of: KeyOf | None = None
    max_age: float | None = None
    expires: bool = False
    purge_tried: bool = False
    window: Window = WINDOW
    max_kills: int = 3
