"""The section ``[backends.*]``: settings that contradict what a bus can do."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from hub.configuration.section import Section


class BackendSection(Section):
    """The section of backends."""

    def conflicts(self, settings: Any, cls: type[Any], given: Collection[str]) -> Iterator[tuple[str, str]]:
        """A confirmation after the work, on a bus that is never told. A class may know that only when it is made; see
        :meth:`hub.parts.backends.Backends.prepare`."""
        if settings.confirm == "settled" and getattr(cls, "confirms", True) is False:
            yield "confirm", f"{cls.__name__} confirms nothing to its senders: leave it out"
