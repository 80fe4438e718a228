"""The base class of managers, which run the parts of a section: consumers, backends, exporters, servers and others."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Generic, Protocol, Self, TypeVar

from twisted.internet.defer import Deferred, DeferredList, maybeDeferred, succeed
from twisted.python.failure import Failure

from hub.configuration.schema import Part
from hub.failure import told
from hub.http.verb import Verb
from hub.interfaces import Releasing, Serving
from hub.partlog import PartLog
from hub.parts.resources import Resources

Prepared = TypeVar("Prepared")


class Manager(ABC, Generic[Prepared]):
    """A manager runs the parts of one section. Belongs to the reactor's thread; :class:`hub.parts.parts.Parts` calls
    it.

    :ivar parts: running parts by name, with the settings in force.
    """

    def __init__(self) -> None:
        self.parts: dict[str, Part] = {}

    @classmethod
    @abstractmethod
    def of(cls, hub: Resources) -> Self:
        """Make the manager for a hub."""

    @abstractmethod
    def prepare(self, part: Part) -> Prepared:
        """Make the instance that :meth:`start` starts; changes nothing else. :raises ConfigError: it can't be made."""

    @abstractmethod
    def start(self, part: Part, prepared: Prepared) -> Deferred[None] | None:
        """Start a prepared part, and add it to ``parts``.

        :raises HubError: it can't start; the text begins with its section and name. Nothing of it runs then.
        """

    @abstractmethod
    def retire(self, names: Collection[str]) -> Deferred[Any] | None:
        """Stop parts that change or go; names that do not run are ignored. Fires, in bounded time, when successors may
        start."""

    def remove(self, names: Collection[str]) -> None:
        """Remove parts that were retired and have no successors."""
        for name in names:
            self.parts.pop(name, None)

    @abstractmethod
    def stop(self, timeout: float) -> Deferred[Any] | None:
        """Stop all parts, as the hub stops. Fires when they have ended, or after ``timeout`` seconds. No part is
        started any more."""

    @abstractmethod
    def status(self) -> Mapping[str, Any]:
        """Status rows of the running parts; JSON-able."""

    # -- hooks for some kinds of parts

    def announce(self, prepared: Mapping[str, tuple[Part, Prepared]]) -> None:
        """Register parts before the hub starts, for other parts that need them earlier."""

    def reconfigure(self, part: Part) -> bool:
        """Apply new settings to a running part. ``False``: it must be replaced; nothing was changed.

        :raises HubError: it can't, and a new one could not start with them either.
        """
        return False

    def hand_over(self, names: Collection[str], timeout: float) -> Deferred[Any] | None:
        """Let parts that a reload will replace or remove finish their messages in hand. The reload waits for it before
        it changes anything, for at most ``timeout`` seconds."""

    def take_problems(self) -> list[str]:
        """Return and clear the lines about settings that could not be applied."""
        return []

    def tried(self, names: Collection[str]) -> Deferred[Any]:
        """Fires when each of these parts has started, or has failed to."""
        return succeed(None)

    def failing(self, names: Collection[str]) -> list[str]:
        """Lines about those of these parts that fail to start, and are tried again."""
        return []

    def release(self, detach: Callable[[int], None]) -> None:
        """Call ``detach`` with each file descriptor of the parts, in a child process that was just forked."""


class Reporter(Protocol):
    """A plugin with a status of its own."""

    def status(self) -> Mapping[str, Any]:
        """Return the status, JSON-able."""


class Stopping(Protocol):
    """A plugin that is stopped in the reactor's thread."""

    def stop(self) -> Deferred[None] | None:
        """Stop. Fires when it has ended."""


def status_of(part: Part, reporter: Reporter) -> dict[str, Any]:
    """The status row of a plugin, with its type. An error in it must not hide the other rows."""
    kind = part.settings.type
    try:
        return {"type": kind, **reporter.status()}
    except (Exception, SystemExit) as error:  # noqa: BLE001 - see above
        return {"type": kind, "state": "failed", "error": told(error)}


def verbs_of(plugin: object, log: PartLog) -> Sequence[Verb]:
    """The verbs of a plugin that is ``Serving``. If making them fails, it runs without."""
    try:
        return list(plugin.verbs()) if isinstance(plugin, Serving) else ()
    except (Exception, SystemExit) as error:
        log.error("verbs() failed: its pages are not served", exc_info=error, extra={"action": "start"})
        return ()


def stop_all(plugins: Collection[Stopping], noun: str, log: PartLog) -> Deferred[Any]:
    """Stop plugins in parallel. Fires when all have ended; a failure is logged, and keeps no other one."""

    def failed(failure: Failure) -> None:
        log.error("%s did not stop in order: %s", noun, failure.value, extra={"action": "stop"})

    stops = [maybeDeferred(plugin.stop).addErrback(failed) for plugin in plugins]
    return DeferredList(stops, consumeErrors=True)


def release_all(plugins: Collection[object], detach: Callable[[int], None]) -> None:
    """Release the file descriptors of those plugins that are ``Releasing``."""
    for plugin in plugins:
        if isinstance(plugin, Releasing):
            plugin.release(detach)
