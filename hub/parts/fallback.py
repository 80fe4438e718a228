"""Falls back to the old settings of a part if a reload can't start the new one."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from twisted.internet.defer import Deferred, inlineCallbacks

from hub.configuration.schema import Part
from hub.errors import HubError
from hub.failure import told

Make = Callable[[Part], Any]
"""Makes an instance of a part. Raises ``ConfigError``."""
Start = Callable[[Part, Any], Deferred[None]]
"""Starts an instance. Fails with ``HubError``; nothing of it runs then."""


@inlineCallbacks
def start_or_fall_back(
    section: str, part: Part, prepared: Any, before: Part | None, make: Make, start: Start
) -> Generator[Deferred[Any], Any, list[str]]:
    """Start a prepared part, or else the old one.

    :param before: the old part, which has stopped; it is made and started anew if the new one fails.
    :returns: nothing, or a line with the reason why the new one did not start, whatever it raised.
    """
    try:
        yield start(part, prepared)
    except Exception as error:  # noqa: BLE001 - a plugin's code: a reload must finish
        problem = _line(section, part, error)
    else:
        return []
    if before is None:
        return [problem]
    try:
        yield start(before, make(before))
    except Exception as error:  # noqa: BLE001 - as above
        return [f"{problem}; it does not start with its old settings either: {_line(section, before, error)}"]
    return [f"{problem}; it keeps its old settings"]


def _line(section: str, part: Part, error: Exception) -> str:
    text = str(error) if isinstance(error, HubError) else f"{section}.{part.name}: {told(error)}"
    return "; ".join(text.splitlines())
