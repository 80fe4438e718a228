"""The parts of a reload, made before anything is changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.configuration.schema import Configuration, HubSettings, Part
from hub.errors import ConfigError
from hub.parts.changes import Changes
from hub.parts.made import Made
from tests.unit.doubles import backend_part, consumer_part


class Maker:
    """Makes parts, but for those called bad."""

    def make(self, part: Part) -> str:
        if part.name == "bad":
            raise ConfigError([f"{part.settings.type}: one", "two"])
        return f"made {part.name}"


def made_of(**parts: dict[str, Part]) -> Made:
    old = Configuration(None, HubSettings(), Path("/nonexistent"), Path("/nonexistent"))
    new = Configuration(None, HubSettings(), Path("/nonexistent"), Path("/nonexistent"), **parts)
    makers: Any = [Maker()] * 4
    return Made.of(Changes.between(old, new), new, *makers)


def named(part: Callable[[str], Part], *names: str) -> dict[str, Part]:
    return {name: part(name) for name in names}


def test_what_is_new_is_made() -> None:
    made = made_of(consumers=named(consumer_part, "a"), backends=named(backend_part, "b"))
    assert made == Made({"a": "made a"}, {"b": "made b"}, {}, {})  # type: ignore[dict-item]


def test_all_that_can_not_be_made_is_told() -> None:
    with pytest.raises(ConfigError) as caught:
        made_of(consumers=named(consumer_part, "bad", "good"), backends=named(backend_part, "bad"))
    assert caught.value.problems == ["test:Scripted: one", "two", "recording: one", "two"]
