"""Flow control: pauses the backends while there is no room for messages, or the hub is drained."""

from __future__ import annotations

from functools import partial

from hub.interfaces import Backend
from hub.partlog import part_log


class FlowControl:
    """Holds the buses back and releases them. Belongs to the reactor's thread. Each hold has a source, which alone can
    release it.

    :ivar backends: backends of the running hub, by name.
    :ivar draining: true while an operator drains the hub.
    :ivar stopping: backends that are paused until they stop: nothing resumes them.
    """

    def __init__(self) -> None:
        self.backends: dict[str, Backend] = {}
        self.draining = False
        self.stopping: set[Backend] = set()
        self._reasons: dict[str, str] = {}
        self._log = part_log("hub", "backends")

    @property
    def holds_back(self) -> bool:
        """True if every bus keeps unread messages, so that none is lost while they are paused."""
        return all(backend.holds_back for backend in self.backends.values())

    @property
    def held_back(self) -> bool:
        """True while some source has no room for messages."""
        return bool(self._reasons)

    @property
    def held_back_by(self) -> str:
        """The newest reason of a hold; empty: there is none."""
        return next(reversed(self._reasons.values()), "")

    @property
    def paused(self) -> bool:
        """True while the backends are paused, for any reason."""
        return self.held_back or self.draining

    def hold(self, source: str, why: str) -> None:
        """Hold the buses back. :param source: the source of the hold. :param why: the reason, for people."""
        if why == self._reasons.get(source):
            return
        self._log.warning("%s: the buses are held back", why, extra={"action": "pause"})
        if not self.paused:
            self._pause()
        self._reasons.pop(source, None)
        self._reasons[source] = why

    def release(self, source: str) -> None:
        """Release the hold of a source. The buses are resumed when no other one is left."""
        if self._reasons.pop(source, None) is not None and not self._reasons:
            self._log.info("there is room again: intake resumed", extra={"action": "resume"})
            self._resume()

    def source(self, name: str) -> tuple[partial[None], partial[None]]:
        """Two functions for one source: ``hold(why)`` and ``release()``."""
        return partial(self.hold, name), partial(self.release, name)

    def drain(self, draining: bool) -> None:
        """Start or end the drain of the hub."""
        if draining and not self.paused:
            self._pause()
        changed, self.draining = draining != self.draining, draining
        if changed and not draining:
            self._resume()

    def _pause(self) -> None:
        for backend in self.backends.values():
            backend.pause()

    def _resume(self) -> None:
        for backend in self.backends.values() if not self.paused else ():
            if backend not in self.stopping:
                backend.resume()
