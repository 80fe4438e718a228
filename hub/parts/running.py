"""All parts of a running hub, and what a reload does to them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred, inlineCallbacks

from hub.configuration.schema import Configuration, Part
from hub.consumer import Consumer
from hub.failure import told
from hub.parts.changes import Changes
from hub.parts.exports import Exports
from hub.parts.fleet import Fleet
from hub.parts.made import Made
from hub.parts.patience import wait_for
from hub.parts.roster import Roster
from hub.parts.servers import Servers
from hub.workers.crew import Crew

DRAIN_TIMEOUT = 5.0
"""Seconds for the backends to hand over what they hold."""
TRY_TIMEOUT = 5.0
"""Seconds that a reload waits for the ``start`` of its consumers, to tell of those that fail."""


class Running:
    """Belongs to the reactor's thread. :param hire: starts a consumer."""

    def __init__(
        self, roster: Roster, fleet: Fleet, exports: Exports, servers: Servers, hire: Callable[[Part, Consumer], None]
    ) -> None:
        self._roster, self._fleet, self._exports, self._servers = roster, fleet, exports, servers
        self._hire = hire

    def parts(self) -> dict[str, Mapping[str, Part]]:
        """Of each section of the configuration, what those that run were made of."""
        consumers = {name: member.part for name, member in self._roster.members.items()}
        exporters, servers = self._exports.parts, self._servers.parts
        return {"consumers": consumers, "backends": self._fleet.parts, "exporters": exporters, "servers": servers}

    def make(self, changes: Changes, new: Configuration) -> Made:
        """What is new or changed. :raises ConfigError: with all that can't be made."""
        return Made.of(changes, new, self._roster, self._fleet, self._exports, self._servers)

    def replace_consumers(self, new: Configuration, made: Made, changes: Changes) -> list[str]:
        """Those that change have left.

        :returns: a line for each that can't be started: no thread is to be had, or no disk.
        """
        problems: list[str] = []
        for name in changes.consumers.removed:
            self._roster.dismiss(name)
        for name, consumer in made.consumers.items():
            try:
                self._hire(new.consumers[name], consumer)
            except Exception as error:  # noqa: BLE001 - a reload must come to its end, or nobody knows what is in force
                problems.append(f"consumers.{name}: {told(error)}")
            problems += self._roster.succession.take_problems()
        return problems

    @inlineCallbacks
    def await_started(
        self, made: Made, given_up: Callable[[], bool], reactor: Any, timeout: float = TRY_TIMEOUT
    ) -> Generator[Deferred[Any], Any, list[str]]:
        """Until each of those consumers has started or has failed to, in seconds. One that takes longer is left alone.

        :param given_up: whether nobody wants to know any more.
        :returns: a line for each that failed.
        """
        crews = {name: self._roster.members[name].crew for name in made.consumers if name in self._roster.members}
        yield wait_for(reactor, lambda: given_up() or all(crew.tried for crew in crews.values()), timeout)
        errors = {name: crew.start_error for name, crew in crews.items()}
        return [
            f"consumers.{name}: does not start: {error}; it is tried again" for name, error in errors.items() if error
        ]

    @inlineCallbacks
    def replace_backends(
        self, new: Configuration, made: Made, changes: Changes
    ) -> Generator[Deferred[Any], Any, list[str]]:
        """See :meth:`Fleet.apply`; what a full queue does goes by the buses there are now."""
        problems = yield self._fleet.apply(new.backends, made.backends, changes.backends.removed, DRAIN_TIMEOUT)
        self._roster.suit(self._fleet.holds_back)
        return list(problems)

    @inlineCallbacks
    def replace_watchers(
        self, new: Configuration, made: Made, changes: Changes, reactor: Any
    ) -> Generator[Deferred[Any], Any, list[str]]:
        """The exporters and the servers."""
        problems = yield self._exports.apply(new.exporters, made.exporters, changes.exporters.removed, reactor)
        return [*problems, *(yield self._servers.apply(new.servers, made.servers, changes.servers.removed))]


def hand_over(reactor: Any, leaving: Sequence[Crew], held_up: Callable[[Crew], bool], timeout: float) -> Deferred[None]:
    """Fires when these have finished what they have in hand, but for what hangs, which must not halt all the others.

    :param held_up: whether nobody can say when that crew will have gone. :param timeout: seconds to wait at most.
    """

    def tell(_: bool) -> None:
        for crew in leaving:
            if not crew.gone.is_set():
                text = "goes on with new threads: an old one has not finished what it has in hand"
                crew.log.warning(text, extra={"action": "reload"})

    waiting = wait_for(reactor, lambda: all(crew.gone.is_set() or held_up(crew) for crew in leaving), timeout)
    return waiting.addCallback(tell)
