"""What a reload finds different."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hub.changes import Changes
from hub.configuration.schema import Configuration, HubSettings, Part
from tests.unit.doubles import Scripted, backend_part, consumer_part


def configuration(*consumers: Part, backends: dict[str, Part] | None = None, **hub: Any) -> Configuration:
    return Configuration(
        file=None,
        hub=HubSettings(**hub),
        state_dir=Path("/nonexistent"),
        control_socket=Path("/nonexistent/hub.sock"),
        backends=backends or {},
        consumers={part.name: part for part in consumers},
    )


def test_nothing_differs_from_itself() -> None:
    changes = Changes.between(configuration(consumer_part("c")), configuration(consumer_part("c")))
    assert changes == Changes([], [], [])


def test_added_removed_and_changed_consumers_are_told_apart() -> None:
    old = configuration(consumer_part("same"), consumer_part("gone"), consumer_part("other"))
    new = configuration(consumer_part("same"), consumer_part("new"), consumer_part("other", threads=2))
    changes = Changes.between(old, new)
    assert (changes.changed, changes.removed) == (["new", "other"], ["gone"])
    assert changes.lines == [
        "consumer new: added",
        "consumer other: changed",
        "consumer gone: removed, its queue is kept",
    ]


def test_other_code_under_the_same_name_is_a_change() -> None:
    old, new = consumer_part("c"), consumer_part("c", Scripted, fingerprint="v2")
    assert Changes.between(configuration(old), configuration(new)).changed == ["c"]


def test_backends_and_most_of_the_hubs_settings_take_a_restart() -> None:
    old = configuration(backends={"bus": backend_part("bus")})
    new = configuration(backends={"two": backend_part("two")}, control_mode="0600")
    changes = Changes.between(old, new)
    assert (changes.changed, changes.removed) == ([], [])
    assert changes.lines == [
        "backend bus: differs, which takes a restart",
        "backend two: differs, which takes a restart",
        "hub: differs, which takes a restart",
    ]


def test_what_a_reload_applies_to_the_hub_takes_no_restart() -> None:
    changes = Changes.between(configuration(), configuration(log_level="debug", stop_timeout="5s"))
    assert changes.lines == []
