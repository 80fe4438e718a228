"""What an operator told the hub that is to outlive it: who is paused, who is drained, and whether the whole hub is.
No consumer is both.

A consumer is paused because what it works on is away; a restart of the hub does not bring that back.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import msgspec

from hub.partlog import part_log
from hub.statefiles import open_file

STANDING_FILE = "standing-orders.json"


class Orders(msgspec.Struct):
    """As they are in the file.

    :ivar paused: until when, in epoch seconds, by consumer; ``None``: until it is resumed.
    """

    paused: dict[str, float | None] = {}
    draining: list[str] = []
    hub_draining: bool = False


class StandingOrders:
    """Belongs to the reactor's thread. A file that can't be written costs the orders their survival, nothing else.

    Where the file can't be read, every consumer is paused until somebody resumes it: its queue keeps what comes, and
    nothing is handed to one that was paused for a reason.

    :param path: ``None``: they are not kept. :param consumers: the names of all that are configured.
    """

    def __init__(self, path: Path | None, consumers: Iterable[str] = ()) -> None:
        self._path = path
        self._log = part_log("hub", "steering")
        self._orders = self._read(consumers)

    def _read(self, consumers: Iterable[str]) -> Orders:
        if self._path is None:
            return Orders()
        try:
            return self._one_each(msgspec.json.decode(_read(self._path), type=Orders))
        except FileNotFoundError:
            return Orders()
        except (OSError, msgspec.DecodeError) as error:
            text = "who is paused could not be read, so every consumer is, until it is resumed: %s: %s"
            self._log.error(text, self._path, error, extra={"action": "start"})
            orders = Orders(paused=dict.fromkeys(consumers))
            with suppress(OSError):
                self._set_aside(self._path)
            self._write(orders)
            return orders

    def _set_aside(self, path: Path) -> None:
        """Keep a copy of what makes no sense, for whoever looks into it: the file is about to be written anew."""
        with open(_private(path.with_name(path.name + ".damaged")), "wb") as copy:
            copy.write(_read(path))

    def _one_each(self, orders: Orders) -> Orders:
        """Who is paused and drained both, as could be ordered once, is only paused: that way nothing is dropped."""
        for name in [name for name in orders.draining if name in orders.paused]:
            orders.draining.remove(name)
            text = "consumer %s was ordered to be paused and drained, which can't be both: it is only paused"
            self._log.warning(text, name, extra={"action": "start"})
        return orders

    @property
    def hub_draining(self) -> bool:
        """Whether the buses are to be held back."""
        return self._orders.hub_draining

    def paused(self, name: str) -> bool:
        """Whether that consumer is to take no messages."""
        return name in self._orders.paused

    def until(self, name: str) -> float | None:
        """When its pause ends, in epoch seconds."""
        return self._orders.paused.get(name)

    def draining(self, name: str) -> bool:
        """Whether that consumer is to be given no more messages."""
        return name in self._orders.draining

    def over(self, now: float) -> list[str]:
        """Consumers whose pause has ended."""
        return [name for name, until in self._orders.paused.items() if until is not None and until <= now]

    def pause(self, name: str, until: float | None) -> None:
        """Note it."""
        self._change(lambda orders: orders.paused.update({name: until}))

    def drain(self, name: str) -> None:
        """Note it."""
        self._change(lambda orders: None if name in orders.draining else orders.draining.append(name))

    def resume(self, name: str) -> None:
        """Neither paused nor drained any more."""

        def change(orders: Orders) -> None:
            orders.paused.pop(name, None)
            orders.draining = [one for one in orders.draining if one != name]

        self._change(change)

    def rename(self, old: str, new: str) -> None:
        """What holds for the one is to hold for the other."""

        def change(orders: Orders) -> None:
            orders.paused.pop(new, None)
            orders.draining = [new if one == old else one for one in orders.draining if one != new]
            if old in orders.paused:
                orders.paused[new] = orders.paused.pop(old)

        if self.paused(old) or self.draining(old):
            self._change(change)

    def drain_hub(self, draining: bool) -> None:
        """Note it."""
        self._change(lambda orders: setattr(orders, "hub_draining", draining))

    def _change(self, change: Callable[[Orders], object]) -> None:
        change(self._orders)
        self._write(self._orders)

    def _write(self, orders: Orders) -> None:
        if self._path is None:
            return
        try:
            written = self._path.with_name(self._path.name + ".new")
            with open(_private(written), "wb") as file:
                file.write(msgspec.json.encode(orders))
                file.flush()
                os.fsync(file.fileno())
            written.replace(self._path)
        except OSError as error:
            text = "this is forgotten when the hub ends: %s can't be written: %s"
            self._log.error(text, self._path, error, extra={"action": "pause"})


def _private(path: Path) -> int:
    """A descriptor to write that file anew by, which nobody else may read."""
    return open_file(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)


def _read(path: Path) -> bytes:
    with open(open_file(path, os.O_RDONLY), "rb") as file:
        return file.read()
