"""Replay: gives messages that the store still keeps to one consumer again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple

import msgspec

from hub.control.hub import Hub
from hub.control.redelivery import redeliver
from hub.queue.queue import Queue
from hub.router import Router


class ReplayOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Order to replay messages to a consumer: all received from ``since`` to ``until`` (epoch seconds) whose topic
    matches a pattern in ``topics``; by default the queue's own patterns. ``dry_run``: only count them."""

    consumer: str
    since: float
    until: float
    topics: Sequence[str] = ()
    dry_run: bool = False


class Replayed(NamedTuple):
    """Progress of a replay.

    :ivar given: messages given so far. :ivar left_out: messages that still wait for the consumer, or are in flight.
    :ivar at: epoch seconds at which the last one was received.
    :ivar not_taken: messages that a full queue did not take, with all that follow the first of them.
    """

    given: int
    left_out: int
    at: float
    not_taken: int = 0


def replay(hub: Hub, order: ReplayOrder, waits: bool = False) -> Iterator[Replayed]:
    """Replay kept messages to one consumer, in short steps.

    Unsettled messages of the consumer are left out, because they come anyway. That is not known for a queue in memory,
    nor for messages of an earlier replay or a retry of dead letters. Messages received after the replay began are not
    part of it.

    :param waits: if the queue is full, each further step tries to give the rest of the page, ``not_taken`` messages.
    :returns: the progress after each page. Raises Drained if the consumer is or becomes drained: the rest is not given.
    :raises NoSuchQueue: no consumer has that name. :raises ValueError: nothing can have been received at that time, or
        the order must name topics: a declared queue may have none.
    """
    entry, now = hub.queues.entry(order.consumer), hub.wall()
    if order.since > now:
        raise ValueError("'since' is in the future: nothing was received then")
    if order.until < order.since:
        raise ValueError("'until' is before 'since': nothing was received then")
    topics = [*(order.topics or entry.topics)]
    if not topics:
        raise ValueError(f"{entry.name!r} is a queue without topics: name those that it shall get ('topics', --topic)")
    route = Router([(topics, entry.opened)]).route
    return _replay(hub, entry.opened, route, order, min(order.until, now), waits)


def _replay(
    hub: Hub, queue: Queue, route: Callable[[str], Collection[Queue]], order: ReplayOrder, until: float, waits: bool
) -> Iterator[Replayed]:
    count, left_out, not_taken, at = 0, 0, 0, order.since
    for page in hub.store.kept(order.since, until, order.consumer):
        wanted = [one for one in page if route(one[0].topic)]
        settled = [message for message, at in wanted if at is None or not queue.inspect.unsettled(at, at + 1)]
        left_out += len(wanted) - len(settled)
        at = page[-1][0].received_at if page else at
        if order.dry_run:
            count, settled = count + len(settled), []
        while settled and not not_taken:
            start, stop = redeliver(hub, hub.queues.taking(order.consumer).opened, settled)
            count, settled = count + stop - start, settled[stop - start :]
            if not waits:
                break
            if settled:
                yield Replayed(count, left_out, at, len(settled))
        not_taken += len(settled)
        yield Replayed(count, left_out, at, not_taken)
