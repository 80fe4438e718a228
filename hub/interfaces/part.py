"""Optional protocols of parts of several kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, runtime_checkable

from hub.extra import Extra
from hub.http.verb import Verb


@runtime_checkable
class Releasing(Protocol):
    """An optional protocol of backends and servers. A child process that a consumer forks inherits their file
    descriptors, and would keep their ports and connections open while it lives.

    In the child the hub closes every descriptor that the reactor watches. This protocol is for the others: sockets
    that another library watches, and connections of Twisted's that are paused just then."""

    def release(self, detach: Callable[[int], None]) -> None:
        """Call ``detach`` with each file descriptor, in a child that was just forked. Nothing may be sent."""


@runtime_checkable
class Serving(Protocol):
    """An optional protocol of backends, exporters, servers and other parts; a consumer has it by its base class."""

    def verbs(self) -> Sequence[Verb]:
        """Return verbs and pages that the hub serves below ``/SECTION/NAME/``, such as ``/backends/bus/``, on its
        control socket and its web server; see :meth:`hub.consumer.Consumer.verbs`."""


@runtime_checkable
class NeedingExtras(Protocol):
    """An optional protocol of the classes of all parts: some settings need optional libraries. ``hubbub check`` names
    those that are missing."""

    @classmethod
    def needed_extras(cls, config: Any) -> Iterable[Extra]:
        """Return the extras that a part with these settings uses."""
