"""Verbs on consumers: whether they work, on what, and with how many threads."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from hub.control.verbs.verb import Named, Verb

LATEST = 253402300799.0
"""Epoch seconds: the end of the year 9999. No calendar can show what is later."""


class PauseOrder(msgspec.Struct, forbid_unknown_fields=True):
    """Which consumer, and until when (epoch seconds); without that, until it is resumed."""

    consumer: str
    until: Annotated[float, msgspec.Meta(ge=0, le=LATEST)] | None = None


class State(msgspec.Struct):
    """What the consumer is now."""

    state: str


class Pause(Verb):
    """Have a consumer take no more messages; they wait in its queue, also over a restart of the hub.

    One that is drained can't be paused: it is to be resumed first.
    """

    path, method, access, order, result = "pause", "POST", "actions", PauseOrder, State

    def carry_out(self, order: PauseOrder) -> State:
        """See the class."""
        self.hub.steering.pause(order.consumer, order.until)
        return State("paused")


class Resume(Verb):
    """Undo a pause and a drain of a consumer."""

    path, method, access, order, result = "resume", "POST", "actions", Named, State

    def carry_out(self, order: Named) -> State:
        """See the class."""
        self.hub.steering.resume(order.consumer)
        return State("running")


class Drain(Verb):
    """Give a consumer no more messages: it works off what it has. What would have been its own is counted as dropped,
    until it is resumed.

    One that is paused can't be drained: it is to be resumed first.
    """

    path, method, access, order, result = "drain", "POST", "actions", Named, State

    def carry_out(self, order: Named) -> State:
        """See the class."""
        self.hub.steering.drain(order.consumer)
        return State("draining")


class Threads(Verb):
    """The threads of a consumer: what each has in hand, for how long, and where in the code it is."""

    path, about, access, order = "threads", "consumer", "contents", Named

    def carry_out(self, order: Named) -> dict[str, Any]:
        """See the class."""
        return {"threads": self.hub.steering.threads(order.consumer)}


class ThreadsOrder(msgspec.Struct, forbid_unknown_fields=True):
    """How many threads, of which consumer."""

    consumer: str
    count: Annotated[int, msgspec.Meta(ge=1, le=256)]


class ThreadsSet(msgspec.Struct):
    """How many there were, and how many there are to be."""

    before: int
    threads: int


class SetThreads(Verb):
    """Change how many threads a consumer has, until the hub is restarted or the consumer's settings change."""

    path, method, access, order, result = "threads", "POST", "actions", ThreadsOrder, ThreadsSet

    def carry_out(self, order: ThreadsOrder) -> ThreadsSet:
        """See the class."""
        return ThreadsSet(self.hub.steering.set_threads(order.consumer, order.count), order.count)
