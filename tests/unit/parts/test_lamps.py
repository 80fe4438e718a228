"""A new kind of part: one file (lamps.py), one entry (LAMPS)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from hub.configuration.loading import load
from hub.configuration.schema import Configuration
from hub.configuration.section import Phase, Section
from hub.configuration.sections import SECTIONS
from hub.consumer import Context
from hub.errors import HubError
from hub.http.mounts import PluginMounts
from hub.http.verb import Verb
from hub.parts.changes import Changes, in_force
from hub.parts.parts import Parts
from tests.unit.doubles import RecordingLog
from tests.unit.parts.lamps import LAMPS, LampContext, Lamps

result_of = SynchronousTestCase().successResultOf


class Switch(Verb):
    """Show whether a lamp is lit."""

    path = "switch"

    def __init__(self, bulb: Bulb) -> None:
        self.bulb = bulb


class Bulb:
    lit: bool

    def __init__(self, context: LampContext) -> None:
        self.context, self.lit = context, False

    def light(self) -> None:
        if self.context.part.settings.colour == "black":
            raise HubError("black is no colour")
        self.lit = True

    def put_out(self) -> None:
        self.lit = False

    def status(self) -> Mapping[str, Any]:
        return {"colour": self.context.part.settings.colour}

    def verbs(self) -> Sequence[Verb]:
        assert not self.lit
        if self.context.part.settings.colour == "clear":
            raise SystemExit(1)
        return [Switch(self)]


class Room:
    """A hub.conf with lamps in it, and the hub's own loop over what is registered."""

    def __init__(self, directory: Path) -> None:
        self.file = directory / "hub.conf"
        self.connections: dict[str, object] = {}
        self.lamps = Lamps(self.connections)
        self.mounts = PluginMounts()
        self.parts = Parts({"lamps": self.lamps}, self.mounts)
        self.now = self.configured()

    def configured(self, **colours: str) -> Configuration:
        spec = f"{__name__}:Bulb"
        tables = [f'[lamps.{name}]\ntype = "{spec}"\ncolour = "{colour}"\n' for name, colour in colours.items()]
        self.file.write_text("".join(tables))
        return load(self.file, (), {})

    def start(self, **colours: str) -> Deferred[list[str]]:
        self.now = self.configured(**colours)
        prepared = self.parts.prepare({name: parts.values() for name, parts in self.now.parts.items()})
        return self.parts.start(Phase.RESOURCES, self.now, prepared)

    def reload(self, **colours: str) -> tuple[list[str], list[str]]:
        new = self.configured(**colours)
        changes = Changes.between(self.now, new)
        prepared = self.parts.prepare(changes.wanted(new))
        problems = result_of(self.parts.apply(Phase.RESOURCES, new, changes, prepared))
        self.now = in_force(self.now, new, self.parts.in_force())
        return changes.lines, problems


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    monkeypatch.setitem(SECTIONS, "lamps", LAMPS)
    return Room(tmp_path)


def test_a_new_kind_of_part_is_started_shown_and_stopped_like_all_others(room: Room) -> None:
    assert result_of(room.start(one="red")) == []
    assert room.parts.status() == {"lamps": {"one": {"type": f"{__name__}:Bulb", "colour": "red"}}}
    lamp = room.lamps.running["one"]
    assert lamp.lit
    result_of(room.parts.stop(Phase.RESOURCES, 1.0))
    assert not lamp.lit


def test_a_new_kind_of_part_is_reloaded_like_all_others(room: Room) -> None:
    result_of(room.start(one="red", gone="green"))
    lines, problems = room.reload(one="blue", new="white")
    assert problems == []
    assert lines == ["lamp one: changed (colour)", "lamp new: added", "lamp gone: removed, and it is dark"]
    assert {name: row["colour"] for name, row in room.parts.status()["lamps"].items()} == {
        "one": "blue",
        "new": "white",
    }


def test_a_new_kind_of_part_falls_back_to_what_was_in_force(room: Room) -> None:
    result_of(room.start(one="red"))
    _, problems = room.reload(one="black", bad="black")
    assert problems == [
        "lamps.one: black is no colour; it keeps its old settings",
        "lamps.bad: black is no colour",
    ]
    assert {name: part.settings.colour for name, part in room.now.of("lamps").items()} == {"one": "red"}
    assert room.lamps.running["one"].lit


def test_the_verbs_of_a_part_are_served_while_it_runs_and_are_those_of_what_runs(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    def lit() -> dict[str, str]:
        found = {place: verb for place, (verb,) in room.mounts.now().items()}
        assert all(isinstance(verb, Switch) and verb.bulb.lit for verb in found.values())
        return {place: verb.bulb.context.part.settings.colour for place, verb in found.items()}  # type: ignore[attr-defined]

    result_of(room.start(one="red", gone="green"))
    assert lit() == {"lamps/one": "red", "lamps/gone": "green"}
    room.reload(one="blue")
    assert lit() == {"lamps/one": "blue"}
    room.reload(one="black", bad="black")
    assert lit() == {"lamps/one": "blue"}
    room.reload(one="clear")
    assert lit() == {}
    assert room.lamps.running["one"].lit
    assert "verbs() failed" in caplog.text


def test_the_first_one_that_can_not_start_ends_the_start_of_the_hub(room: Room) -> None:
    failure = SynchronousTestCase().failureResultOf(room.start(one="black"))
    assert str(failure.value) == "lamps.one: black is no colour"


def test_a_section_names_its_manager(room: Room) -> None:
    assert isinstance(SECTIONS["lamps"], Section)
    assert LAMPS.manager_class() is Lamps
    assert Parts({"lamps": room.lamps}, PluginMounts()).manager(Lamps) is room.lamps


def test_consumers_share_what_such_parts_offer_and_are_given_what_runs_now(room: Room) -> None:
    context = Context("c", None, RecordingLog(), lambda *_: None, Path("/nonexistent"), room.connections)
    with pytest.raises(HubError, match="no connection is called 'one': there are none"):
        context.connection("one")
    result_of(room.start(one="red"))
    first = context.connection("one")
    assert first is room.lamps.running["one"]
    room.reload(one="blue")
    assert context.connection("one") is room.lamps.running["one"] is not first
    result_of(room.parts.stop(Phase.RESOURCES, 1.0))
    with pytest.raises(HubError):
        context.connection("one")
