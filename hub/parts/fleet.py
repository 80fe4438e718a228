"""The backends of a running hub."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred, DeferredList, inlineCallbacks, maybeDeferred
from twisted.python.failure import Failure

from hub.configuration.schema import Part
from hub.enqueuer import BackendIntake, Enqueuer
from hub.errors import ConfigError, HubError
from hub.failure import told
from hub.interfaces import Backend, BackendContext, Clock
from hub.partlog import part_log
from hub.parts.fallback import start_or_fall_back
from hub.parts.patience import wait_for
from hub.parts.reports import status_of


class Fleet:
    """Belongs to the reactor's thread.

    :ivar parts: what the backends were made of, or have taken since: the settings in force.
    :ivar held_back_by: why they are paused; empty: they are not.
    :ivar draining: whether an operator wants them to be paused, whatever else is.
    """

    def __init__(self, parts: Mapping[str, Part], reactor: Any, enqueuer: Enqueuer, wall: Clock) -> None:
        self.backends: dict[str, Backend] = {}
        self.held_back_by = ""
        self.draining = False
        self.parts: dict[str, Part] = {}
        self._reactor = reactor
        self._enqueuer = enqueuer
        self._wall = wall
        self._log = part_log("hub", "fleet")
        self._started: list[Backend] = []
        self._stopped = False
        self._patterns: Sequence[str] = ()
        for part in parts.values():
            self._add(part, self.make(part))

    def make(self, part: Part) -> Backend:
        """:raises ConfigError: it can't be made."""
        context = BackendContext(part.name, part.config, self._reactor, part_log("backend", part.name), self._wall)
        backend: Backend = part.plugin.make(f"backends.{part.name}", context)
        return backend

    def _add(self, part: Part, backend: Backend) -> None:
        self.backends[part.name], self.parts[part.name] = backend, part

    @property
    def holds_back(self) -> bool:
        """Whether every bus keeps what is not read."""
        return all(backend.holds_back for backend in self.backends.values())

    def subscribe(self, patterns: Sequence[str]) -> None:
        """To all that some consumer wants."""
        self._patterns = patterns
        for backend in self.backends.values():
            backend.subscribe(patterns)

    @inlineCallbacks
    def start(self) -> Generator[Deferred[Any], Any, None]:
        """One after the other. :raises HubError: what the first one that can't start says."""
        for name, backend in self.backends.items():
            yield self._start(name, backend)

    @inlineCallbacks
    def _start(self, name: str, backend: Backend) -> Generator[Deferred[Any], Any, None]:
        try:
            yield maybeDeferred(backend.start, BackendIntake(self._enqueuer, self._confirmer(backend)))
        except ConfigError as error:
            raise ConfigError([f"backends.{name}: {problem}" for problem in error.problems]) from error
        except HubError as error:
            raise HubError(f"backends.{name}: {error}") from error
        self._started.append(backend)
        if self.paused:
            backend.pause()

    def release(self, detach: Callable[[int], None]) -> None:
        """In a child process that was just forked: let go of what the backends have open."""
        for backend in self.backends.values():
            release = getattr(backend, "release", None)
            if release is not None:
                release(detach)

    def _confirmer(self, backend: Backend) -> Any:
        return lambda tokens: self._reactor.callFromThread(backend.confirm, tokens)

    @inlineCallbacks
    def stop(self, timeout: float) -> Generator[Deferred[Any], Any, None]:
        """All at once: each hands over what it holds, then closes; one that takes longer is left behind. None can be
        started any more, even by a reload that is not over."""
        self._stopped = True
        yield self._stop(self._started, timeout)

    @inlineCallbacks
    def _stop(self, leaving: Sequence[Backend], timeout: float) -> Generator[Deferred[Any], Any, None]:
        yield self._have_confirmed(leaving, timeout)
        stops = [maybeDeferred(backend.stop).addErrback(self._failed_to_stop) for backend in leaving]
        together = DeferredList(stops, consumeErrors=True)
        finished = yield wait_for(self._reactor, lambda: bool(together.called), timeout)
        if not finished:
            self._log.error("some backend did not stop within %.0f s", timeout, extra={"action": "stop"})

    @inlineCallbacks
    def _have_confirmed(self, leaving: Sequence[Backend], timeout: float) -> Generator[Deferred[Any], Any, None]:
        """Senders of what is on its way to the disk are told while the connection is there; a bus would bring it again
        otherwise. Those of what ``stop`` itself hands over are not."""
        confirming = [backend for backend in leaving if backend.confirms]
        for backend in confirming:
            try:
                backend.pause()
            except Exception as error:  # noqa: BLE001 - somebody else's code: the others are waited for all the same
                self._log.error("a backend could not be paused", exc_info=error, extra={"action": "stop"})
        if confirming:
            stored: list[bool] = []
            self._enqueuer.when_stored(lambda: self._reactor.callFromThread(stored.append, True))
            yield wait_for(self._reactor, lambda: bool(stored), timeout)

    def _failed_to_stop(self, failure: Failure) -> None:
        self._log.error("a backend did not stop in order: %s", failure.value, extra={"action": "stop"})

    @inlineCallbacks
    def apply(
        self, parts: Mapping[str, Part], made: Mapping[str, Backend], removed: Iterable[str], timeout: float
    ) -> Generator[Deferred[Any], Any, list[str]]:
        """A reload. One that can take its new settings while it runs does; the others that changed or go hand over
        what they hold and stop, and what was made is started in their place.

        :param made: of those that are new or changed.
        :returns: a line for each that could not be changed or started: it goes on as it was, if it was there.
        """
        before = dict(self.parts)
        replaced, unable = self._reconfigure(parts, made)
        yield self._retire([*removed, *replaced], timeout)
        for name in removed:
            del self.backends[name], self.parts[name]
        if unable:  # once more: what they need, such as an address, another may have let go just now
            again, unable = self._reconfigure(parts, unable)
            yield self._retire(again, timeout)
            replaced += again
        problems = list(unable.values())
        for name in replaced:
            trial = start_or_fall_back(parts[name], made[name], before.get(name), self.make, self._begin)
            problems += yield trial
        return problems

    def _reconfigure(self, parts: Mapping[str, Part], names: Iterable[str]) -> tuple[list[str], dict[str, str]]:
        """Have those that run take their new settings.

        :returns: the names of those that have to be replaced; and of those that can't be changed, with the reason.
        """
        replaced: list[str] = []
        unable: dict[str, str] = {}
        for name in names:
            try:
                taken = self._reconfigured(parts[name])
            except Exception as error:  # noqa: BLE001 - somebody else's code: a reload must come to its end
                why = str(error) if isinstance(error, HubError) else told(error)
                unable[name] = f"backends.{name}: {why}; it goes on with its old settings"
                continue
            if taken:
                self.parts[name] = parts[name]
            else:
                replaced.append(name)
        return replaced, unable

    @inlineCallbacks
    def _retire(self, names: Sequence[str], timeout: float) -> Generator[Deferred[Any], Any, None]:
        leaving = [self.backends[name] for name in names if name in self.backends]
        yield self._stop(leaving, timeout)
        self._started = [backend for backend in self._started if backend not in leaving]

    @inlineCallbacks
    def _begin(self, part: Part, backend: Backend) -> Generator[Deferred[Any], Any, None]:
        """Add it to those that run. :raises HubError: it can't start; it is not among them then."""
        if self._stopped:
            raise HubError("the hub stops")
        self._add(part, backend)
        backend.subscribe(self._patterns)
        try:
            yield self._start(part.name, backend)
        except Exception:
            del self.backends[part.name], self.parts[part.name]
            raise

    def _reconfigured(self, part: Part) -> bool:
        """Whether a running backend has taken its new settings; it says so by a method that is not asked of all.

        :raises HubError: it can't, and would not start with them either. Nothing was changed.
        """
        running = self.backends.get(part.name)
        if running is None or not isinstance(running, part.plugin.cls) or running not in self._started:
            return False
        take = getattr(running, "reconfigure", None)
        return take is not None and bool(take(part.config))

    @property
    def held_back(self) -> bool:
        """Whether there is no room for what they would receive."""
        return bool(self.held_back_by)

    def hold_back(self, why: str) -> None:
        """Have them receive no more."""
        if why != self.held_back_by:
            self._log.warning("%s: the buses are held back", why, extra={"action": "pause"})
        if not self.paused:
            self._pause()
        self.held_back_by = why

    def let_go(self) -> None:
        """There is room again."""
        if self.held_back:
            self.held_back_by = ""
            self._log.info("there is room again: the buses go on", extra={"action": "resume"})
            self._resume()

    def drain(self, draining: bool) -> None:
        """An operator wants no more to come, or wants it again."""
        if draining and not self.paused:
            self._pause()
        changed, self.draining = draining != self.draining, draining
        if changed and not draining:
            self._resume()

    @property
    def paused(self) -> bool:
        """Whether they receive nothing, for whatever reason."""
        return self.held_back or self.draining

    def _pause(self) -> None:
        for backend in self.backends.values():
            backend.pause()

    def _resume(self) -> None:
        for backend in self.backends.values() if not self.paused else ():
            backend.resume()

    def status(self) -> dict[str, Any]:
        """What each says, with its type, and how many of its messages were of no use, also before a restart."""
        totals = self._enqueuer.refused.totals()
        return {
            name: {**status_of(self.parts[name], backend), "refused": totals.get(name, 0)}
            for name, backend in self.backends.items()
        }
