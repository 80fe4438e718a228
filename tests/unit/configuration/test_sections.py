"""A kind of part is one entry: every command that reads, checks or explains a configuration knows it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Protocol

import pytest
from click import Command
from click.testing import CliRunner

from hub.cli.config import check, config
from hub.configuration.schema import PartSettings
from hub.configuration.section import Phase, Section
from hub.configuration.sections import SECTIONS
from hub.settings import setting
from tests.unit.configuration.configurations import configure, problems


class Lamp(Protocol):
    bright: bool

    def light(self) -> None: ...

    def put_out(self) -> None: ...


class LampSettings(PartSettings):
    colour: str = setting("red", "Of the light.")


CLASSES = """
class Bulb:
    bright = True

    def __init__(self, context):
        pass

    def light(self):
        pass

    put_out = light

class Candle:
    def __init__(self, context):
        pass

    def light(self):
        pass
"""
LAMP = '[lamps.one]\ntype = "lamps.py:Bulb"\n'


@pytest.fixture(autouse=True)
def lamps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = Section("lamps", LampSettings, Lamp, "nowhere:Lamps", Phase.RESOURCES)
    monkeypatch.setitem(SECTIONS, "lamps", entry)
    (tmp_path / "lamps.py").write_text(CLASSES)


def test_its_tables_are_read_with_its_own_settings(tmp_path: Path) -> None:
    part = configure(tmp_path, LAMP + 'colour = "blue"\n').of("lamps")["one"]
    assert (part.settings.colour, part.settings.enabled, part.plugin.cls.__name__) == ("blue", True, "Bulb")
    assert configure(tmp_path, LAMP + "enabled = false\n").of("lamps") == {}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (LAMP + "colour = 5\n", "hub.conf:3: lamps.one.colour: expected a text in quotes, not 5"),
        (LAMP + "color = 5\n", "hub.conf:3: lamps.one.color: unknown setting; did you mean 'colour'?"),
        (
            '[lamps.one]\ntype = "lamps.py:Candle"\n',
            "hub.conf:2: lamps.one.type: 'lamps.py:Candle' is not one of the lamps: it has no put_out(), bright",
        ),
        ("[lamp.one]\n", "hub.conf:1: lamp: unknown section; did you mean 'lamps'?"),
        ('[lamps.one]\ntype = "x"\n', "no lamp is called 'x'"),
    ],
)
def test_what_is_wrong_with_them_is_said(tmp_path: Path, text: str, problem: str) -> None:
    (found,) = problems(tmp_path, text)
    assert problem in found


def test_every_command_that_explains_the_configuration_knows_it(tmp_path: Path) -> None:
    module = configure(tmp_path, LAMP).of("lamps")["one"].plugin.cls.__module__

    def say(command: Command, *arguments: str) -> str:
        result = CliRunner().invoke(command, [*arguments, "--config", str(tmp_path / "hub.conf")])
        assert result.exit_code == 0, result.output
        return result.output

    assert f"  lamp one: {module}:Bulb\n" in say(check)
    assert json.loads(say(check, "--json"))["lamps"] == {"one": {"class": f"{module}:Bulb"}}
    assert '[lamps.one]\ntype = "lamps.py:Bulb"' in say(config, "--show")
    assert 'colour = "red"' in say(config, "--show")
    declared = json.loads(say(config, "--defaults", "--json"))["settings"]
    assert [row["name"] for row in declared if row["section"] == "lamps"] == ["type", "enabled", "colour"]


def test_a_setting_that_must_be_set_is_that_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the class's defaults only what it defines is checked."""

    class FloodlightSettings(LampSettings):
        watts: int = setting(..., "What it draws.")

    entry = Section("lamps", FloodlightSettings, Lamp, "nowhere:Lamps", Phase.RESOURCES)
    monkeypatch.setitem(SECTIONS, "lamps", entry)
    assert configure(tmp_path, LAMP + "watts = 5\n").of("lamps")["one"].settings.watts == 5
    (found,) = problems(tmp_path, LAMP)
    assert "lamps.one.watts: must be set" in found
