"""What was there before is started again where a reload's new one does not start."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from twisted.internet.defer import Deferred, inlineCallbacks

from hub.configuration.schema import Part
from hub.errors import HubError
from hub.failure import told

Make = Callable[[Part], Any]
"""What a part of the hub is made by. Raises ``ConfigError``."""
Start = Callable[[Part, Any], Deferred[None]]
"""Has it run. Fails with ``HubError``; it is not there then."""


@inlineCallbacks
def start_or_fall_back(
    part: Part, made: Any, before: Part | None, make: Make, start: Start
) -> Generator[Deferred[Any], Any, list[str]]:
    """Start what was made of a part.

    :param before: what it was up to now, which has stopped: it is made and started anew if the new one fails.
    :returns: nothing, or a line that says why it did not start, whatever it raised.
    """
    try:
        yield start(part, made)
    except Exception as error:  # noqa: BLE001 - somebody else's code: a reload must come to its end
        problem = _line(part, error)
    else:
        return []
    if before is None:
        return [problem]
    try:
        yield start(before, make(before))
    except Exception as error:  # noqa: BLE001 - as above
        return [f"{problem}; nor does it start with its old settings: {_line(before, error)}"]
    return [f"{problem}; it goes on with its old settings"]


def _line(part: Part, error: Exception) -> str:
    text = str(error) if isinstance(error, HubError) else f"{part.name} failed: {told(error)}"
    return "; ".join(text.splitlines())
