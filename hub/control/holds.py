"""Holds: pauses and drains ordered by an operator, which outlive consumers and the hub. No consumer has both.

A consumer is paused because something it needs is away; a restart of the hub does not bring that back.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from hub.errors import HubError
from hub.interfaces import Clock
from hub.partlog import part_log
from hub.parts.queue_entry import QueueEntry
from hub.statefiles import open_file, write_whole

HOLDS_FILE = "standing-orders.json"
"""Name of the file in the state directory, kept from earlier versions."""


class Held(HubError):
    """A consumer can't be paused and drained: its new messages would be dropped, and its backlog not worked off.
    Answered to the caller; the former hold stays."""


class Orders(msgspec.Struct):
    """Holds as they are in the file.

    :ivar paused: end of the pause in epoch seconds, by consumer; ``None``: until it is resumed.
    """

    paused: dict[str, float | None] = {}
    draining: list[str] = []
    hub_draining: bool = False


class Holds:
    """All holds of a hub. Belongs to the reactor's thread. If the file can't be written, they end with the hub.

    If the file can't be read, every consumer is paused until it is resumed: its queue keeps receiving, and no message
    is handed to one that was paused for a reason.

    :param path: ``None``: holds are not kept. :param wall: epoch seconds.
    :param consumers: names of all configured consumers.
    """

    def __init__(self, path: Path | None, wall: Clock, consumers: Iterable[str] = ()) -> None:
        self._path = path
        self._wall = wall
        self._log = part_log("hub", "control")
        self._orders = self._read(consumers)

    # -- orders

    def pause(self, entry: QueueEntry, until: float | None) -> None:
        """Pause a consumer. :param until: epoch seconds; ``None``: until it is resumed.

        :raises ValueError: the time is past. :raises Held: the consumer is drained.
        """
        queue = entry.opened
        if until is not None and until <= self._wall():
            raise ValueError("the end of a pause must be in the future")
        if queue.draining:
            raise Held(f"{queue.name} is drained, so its new messages are dropped and would not wait: resume it first")
        self._change(lambda orders: orders.paused.update({queue.name: until}))
        queue.pause()

    def drain(self, entry: QueueEntry) -> None:
        """Drain a consumer: it receives no messages, and works off its backlog. :raises Held: the consumer is
        paused."""
        queue = entry.opened
        if queue.paused:
            raise Held(f"{queue.name} is paused, so it would not work off its backlog: resume it first")
        self._change(lambda orders: None if self.draining(queue.name) else orders.draining.append(queue.name))
        queue.drain()

    def resume(self, entry: QueueEntry) -> None:
        """End the pause or drain of a consumer."""
        self.forget(entry.name)
        entry.opened.resume()
        entry.rates.restart()

    def end_pauses(self, queues: Mapping[str, QueueEntry]) -> list[str]:
        """Resume the consumers whose pause is over. :returns: their names."""
        now = self._wall()
        ended = [name for name, until in self._orders.paused.items() if until is not None and until <= now]
        found = [name for name in ended if name in queues]
        for name in found:
            self.resume(queues[name])
        return found

    def drain_hub(self, draining: bool) -> None:
        """Record that the hub is drained, or no longer drained."""
        self._change(lambda orders: setattr(orders, "hub_draining", draining))

    # -- queries

    @property
    def hub_draining(self) -> bool:
        """True while the hub is drained."""
        return self._orders.hub_draining

    def paused(self, name: str) -> bool:
        """True while a consumer is paused."""
        return name in self._orders.paused

    def until(self, name: str) -> float | None:
        """End of a consumer's pause in epoch seconds; ``None``: it is not paused, or has no end."""
        return self._orders.paused.get(name)

    def draining(self, name: str) -> bool:
        """True while a consumer is drained."""
        return name in self._orders.draining

    def forget(self, name: str) -> None:
        """Remove the holds of a queue."""

        def change(orders: Orders) -> None:
            orders.paused.pop(name, None)
            orders.draining = [one for one in orders.draining if one != name]

        if self.paused(name) or self.draining(name):
            self._change(change)

    def rename(self, old: str, new: str) -> None:
        """Move the holds of a queue to its new name."""

        def change(orders: Orders) -> None:
            orders.paused.pop(new, None)
            orders.draining = [new if one == old else one for one in orders.draining if one != new]
            if old in orders.paused:
                orders.paused[new] = orders.paused.pop(old)

        if self.paused(old) or self.draining(old):
            self._change(change)

    # -- the file

    def _read(self, consumers: Iterable[str]) -> Orders:
        if self._path is None:
            return Orders()
        try:
            return self._one_each(msgspec.json.decode(_read(self._path), type=Orders))
        except FileNotFoundError:
            return Orders()
        except (OSError, msgspec.DecodeError) as error:
            text = "the list of paused consumers could not be read: all are paused until they are resumed: %s: %s"
            self._log.error(text, self._path, error, extra={"action": "start"})
            orders = Orders(paused=dict.fromkeys(consumers))
            with suppress(OSError):
                self._set_aside(self._path)
            self._write(orders)
            return orders

    def _set_aside(self, path: Path) -> None:
        """Keep a copy of an invalid file for investigation: it is about to be replaced."""
        write_whole(path.with_name(path.name + ".damaged"), _read(path))

    def _one_each(self, orders: Orders) -> Orders:
        """Keep only the pause of a consumer with both holds, which earlier versions allowed: so nothing is dropped."""
        for name in [name for name in orders.draining if name in orders.paused]:
            orders.draining.remove(name)
            text = "consumer %s is both paused and drained in the file, which is not possible: it is only paused"
            self._log.warning(text, name, extra={"action": "start"})
        return orders

    def _change(self, change: Callable[[Orders], object]) -> None:
        change(self._orders)
        self._write(self._orders)

    def _write(self, orders: Orders) -> None:
        if self._path is None:
            return
        try:
            write_whole(self._path, msgspec.json.encode(orders))
        except OSError as error:
            text = "pauses and drains will be lost when the hub ends: %s can't be written: %s"
            self._log.error(text, self._path, error, extra={"action": "pause"})


def _read(path: Path) -> bytes:
    with open(open_file(path, os.O_RDONLY), "rb") as file:
        return file.read()
