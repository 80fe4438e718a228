"""What a part says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.parts.reports import status_of
from tests.unit.doubles import RecordingBackend, backend_part


class Broken(RecordingBackend):
    def status(self) -> Mapping[str, Any]:
        raise KeyError("peers")


def test_it_is_told_with_its_type() -> None:
    backend = RecordingBackend(None)  # type: ignore[arg-type]
    assert status_of(backend_part("bus"), backend)["type"] == "recording"
    assert status_of(backend_part("bus"), backend)["state"] == "connected"


def test_one_that_fails_even_at_that_says_so() -> None:
    broken = Broken(None)  # type: ignore[arg-type]
    told = {"type": "recording", "state": "failed", "error": "KeyError: 'peers'"}
    assert status_of(backend_part("bus"), broken) == told
