"""The backends of a running hub."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred, DeferredList, inlineCallbacks, maybeDeferred
from twisted.python.failure import Failure

from hub.configuration.schema import Part
from hub.enqueuer import BackendIntake, Enqueuer
from hub.errors import ConfigError, HubError
from hub.interfaces import Backend, BackendContext, Clock
from hub.partlog import part_log
from hub.patience import wait_for


class Fleet:
    """Belongs to the reactor's thread.

    :ivar held_back_by: why they are paused; empty: they are not.
    """

    def __init__(self, parts: Mapping[str, Part], reactor: Any, enqueuer: Enqueuer, wall: Clock) -> None:
        self.backends: dict[str, Backend] = {}
        self.held_back_by = ""
        self._types = {name: part.settings.type for name, part in parts.items()}
        self._reactor = reactor
        self._enqueuer = enqueuer
        self._log = part_log("hub", "fleet")
        self._started: list[Backend] = []
        for name, part in parts.items():
            context = BackendContext(name, part.config, reactor, part_log("backend", name), wall)
            try:
                self.backends[name] = part.plugin.cls(context)
            except HubError as error:
                raise ConfigError([f"backends.{name}: {error}"]) from error

    @property
    def holds_back(self) -> bool:
        """Whether every bus keeps what is not read."""
        return all(backend.holds_back for backend in self.backends.values())

    def subscribe(self, patterns: Sequence[str]) -> None:
        """To all that some consumer wants."""
        for backend in self.backends.values():
            backend.subscribe(patterns)

    @inlineCallbacks
    def start(self) -> Generator[Deferred[Any], Any, None]:
        """One after the other. :raises HubError: what the first one that can't start says."""
        for name, backend in self.backends.items():
            try:
                yield maybeDeferred(backend.start, BackendIntake(self._enqueuer, self._confirmer(backend)))
            except ConfigError as error:
                raise ConfigError([f"backends.{name}: {problem}" for problem in error.problems]) from error
            except HubError as error:
                raise HubError(f"backends.{name}: {error}") from error
            self._started.append(backend)

    def _confirmer(self, backend: Backend) -> Any:
        return lambda tokens: self._reactor.callFromThread(backend.confirm, tokens)

    @inlineCallbacks
    def stop(self, timeout: float) -> Generator[Deferred[Any], Any, None]:
        """All at once: each hands over what it holds, then closes; one that takes longer is left behind."""
        stops = [maybeDeferred(backend.stop).addErrback(self._failed_to_stop) for backend in self._started]
        together = DeferredList(stops, consumeErrors=True)
        finished = yield wait_for(self._reactor, lambda: bool(together.called), timeout)
        if not finished:
            self._log.error("some backend did not stop within %.0f s", timeout, extra={"action": "stop"})

    def _failed_to_stop(self, failure: Failure) -> None:
        self._log.error("a backend did not stop in order: %s", failure.value, extra={"action": "stop"})

    @property
    def held_back(self) -> bool:
        """Whether they are paused."""
        return bool(self.held_back_by)

    def hold_back(self, why: str) -> None:
        """Have them receive no more."""
        if why != self.held_back_by:
            self._log.warning("%s: the buses are held back", why, extra={"action": "pause"})
        if not self.held_back:
            for backend in self.backends.values():
                backend.pause()
        self.held_back_by = why

    def let_go(self) -> None:
        """There is room again."""
        if self.held_back:
            self.held_back_by = ""
            self._log.info("there is room again: the buses go on", extra={"action": "resume"})
            for backend in self.backends.values():
                backend.resume()

    def status(self) -> dict[str, Any]:
        """What each says, with its type."""
        return {name: {"type": self._types[name], **backend.status()} for name, backend in self.backends.items()}
