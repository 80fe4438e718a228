"""What the parts say of themselves, for the status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from hub.configuration.schema import Part
from hub.failure import told


class Reporter(Protocol):
    """A backend or a server."""

    def status(self) -> Mapping[str, Any]:
        """JSON-able."""


def status_of(part: Part, reporter: Reporter) -> dict[str, Any]:
    """What it says, with its type. One that fails even at that must not hide all the others."""
    kind = part.settings.type
    try:
        return {"type": kind, **reporter.status()}
    except Exception as error:  # noqa: BLE001 - see above
        return {"type": kind, "state": "failed", "error": told(error)}
