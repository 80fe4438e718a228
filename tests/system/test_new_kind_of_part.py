"""A whole hub with a kind of part that no hub has: from its table in hub.conf to its verbs, through start, reload and
stop. What one writes for it is tests/unit/parts/lamps.py."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from hub.errors import OrderRefused
from tests.support import PATIENCE, ROOT, free_port, wait_until
from tests.system.chromium import Chromium, accessibility_problems
from tests.system.hubs import RunningHub

pytestmark = pytest.mark.system

PROGRAM = f"""\
#!{sys.executable}
import sys

sys.path.insert(0, {str(ROOT)!r})
from hub.cli import main
from hub.configuration.sections import SECTIONS
from tests.unit.parts.lamps import LAMPS

SECTIONS["lamps"] = LAMPS
main()
"""
BULB = """\
from pathlib import Path

import msgspec

from hub.errors import HubError
from hub.http.verb import Verb

HISTORY = Path(__file__).with_name("history")


def note(line):
    with HISTORY.open("a") as file:
        file.write(f"{line}\\n")


class Light(msgspec.Struct):
    \"\"\"Whether the lamp is lit.\"\"\"

    lit: bool


class Switch(Verb):
    \"\"\"Show whether the lamp is lit.\"\"\"

    path, result = "switch", Light

    def __init__(self, bulb):
        self.bulb = bulb

    def carry_out(self, order):
        return Light(self.bulb.lit)


class Bulb:
    lit = False

    def __init__(self, context):
        self.colour, self.name = context.part.settings.colour, context.part.name

    def note(self, word):
        with HISTORY.open("a") as file:
            file.write(f"{self.name} {self.colour} {word}\\n")

    def light(self):
        if self.colour == "black":
            raise HubError("black is no colour")
        self.lit = True
        self.note("lit")

    def put_out(self):
        self.lit = False
        self.note("out")

    def status(self):
        flickers = {"state": "failed", "last_error": "OSError: it flickers"} if self.colour == "grey" else {}
        return {"colour": self.colour, **flickers}

    def verbs(self):
        return [Switch(self)]
"""
READER = """\
from hub import Consumer


class Reader(Consumer):
    topics = ("none",)

    def start(self):
        self.context.connection("one").note("found by a consumer")

    def consume(self, message):
        pass
"""

ORDERED = """\
from hub.backends.memory import Memory
from hub.settings import Settings, setting
from bulb import Bulb, note


class Config(Settings):
    number: int = setting(1, "Of the part.")


class Door:
    Config = Config

    def __init__(self, context):
        self.number = context.config.number

    def start(self):
        note(f"door {self.number} opened")

    def stop(self):
        note(f"door {self.number} closed")

    def status(self):
        return {}


class Source(Memory):
    Config = Config

    def start(self, intake):
        super().start(intake)
        note(f"source {self._context.config.number} started")

    def stop(self):
        note(f"source {self._context.config.number} stopped")
        return super().stop()
"""
WORKER = """\
from hub import Consumer
from bulb import note


class Worker(Consumer):
    topics = ("none",)

    def consume(self, message):
        pass

    def stop(self):
        note("worker stopped")
"""


def configuration(**colours: str) -> str:
    lamps = [f'[lamps.{name}]\ntype = "bulb.py:Bulb"\ncolour = "{colour}"\n' for name, colour in colours.items()]
    return "".join(['[backends.bus]\ntype = "memory"\n[consumers.reader]\ntype = "reader.py:Reader"\n', *lamps])


@pytest.fixture
def hub(tmp_path: Path) -> RunningHub:
    (tmp_path / "bulb.py").write_text(BULB)
    (tmp_path / "reader.py").write_text(READER)
    program = tmp_path / "hubbub"
    program.write_text(PROGRAM)
    program.chmod(0o700)
    return RunningHub(tmp_path, configuration(one="red", two="green"), program=program)


def test_the_page_shows_it_with_its_state_and_its_failures(hub: RunningHub) -> None:
    url = f"http://127.0.0.1:{free_port()}/"
    server = f'[servers.web]\ntype = "web"\nlisten = "{url[7:-1]}"\n'
    hub.file.write_text(configuration(one="red", two="grey") + server)
    with hub, Chromium() as chromium, chromium.page(f"{url}#/hub", bypass_csp=True) as page:
        card = page.get_by_role("region", name="Exporters, servers and other parts")
        lit, failed = (card.get_by_role("article").filter(has_text=f"{name} (lamp)") for name in ("one", "two"))
        expect(lit).to_contain_text("bulb.py:Bulb")
        expect(lit.locator("[data-level]")).to_have_count(0)
        expect(failed.locator('[data-level="bad"]')).to_have_text(re.compile("state *failed"))
        expect(failed.locator('[data-level="warn"]')).to_have_text(re.compile("last error *OSError"))
        expect(card.get_by_role("article").filter(has_text="web (server)")).to_be_visible()
        assert accessibility_problems(page) == []
        hub.file.write_text(configuration(one="red") + server)
        hub.command("reload")
        expect(failed).to_have_count(0)


def history(hub: RunningHub) -> list[str]:
    return (hub.directory / "history").read_text().splitlines()


def reloaded(hub: RunningHub, **colours: str) -> dict[str, Any]:
    hub.file.write_text(configuration(**colours))
    found: dict[str, Any] = json.loads(hub.command("reload", "--json", check=False).stdout)
    return found


def test_it_starts_reloads_and_stops_with_the_hub_and_serves_its_verbs(hub: RunningHub) -> None:
    with hub:
        wait_until(lambda: len(history(hub)) == 3, 10, "a consumer that uses a lamp")
        assert history(hub) == ["one red lit", "two green lit", "one red found by a consumer"]
        assert hub.status()["lamps"] == {
            "one": {"type": "bulb.py:Bulb", "colour": "red"},
            "two": {"type": "bulb.py:Bulb", "colour": "green"},
        }
        assert hub.client.get("/lamps/one/switch") == {"lit": True}
        assert "/lamps/two/switch" in hub.client.get("/openapi.json")["paths"]
        changes = reloaded(hub, one="blue", three="white")["changes"]
        assert changes == ["lamp one: changed (colour)", "lamp three: added", "lamp two: removed, and it is dark"]
        assert history(hub)[3:] == ["two green out", "one red out", "one blue lit", "three white lit"]
        with pytest.raises(OrderRefused, match="there is nothing at /lamps/two/switch"):
            hub.client.get("/lamps/two/switch")
        problems = reloaded(hub, one="black", three="white")["problems"]
        assert problems == ["lamps.one: black is no colour; it keeps its old settings"]
        assert hub.client.get("/lamps/one/switch") == {"lit": True}
        assert hub.stop() == 0
    assert sorted(history(hub)[-2:]) == ["one blue out", "three white out"]


def test_one_that_can_not_start_ends_the_start_and_a_mistake_is_told_by_check(hub: RunningHub) -> None:
    hub.file.write_text(configuration(one="black"))
    unready = RunningHub(hub.directory, configuration(one="black"), ready=False, program=hub.directory / "hubbub")
    with unready:
        assert unready.process.wait(30 * PATIENCE) == 69
    assert "lamps.one: black is no colour" in unready.log
    hub.file.write_text(configuration(one="red").replace("colour", "color"))
    found = hub.command("check", check=False)
    assert found.returncode == 78
    assert "lamps.one.color: unknown setting; did you mean 'colour'?" in found.stderr


def ordered(number: int, colour: str) -> str:
    parts = [("backends.bus", "Source"), ("servers.door", "Door")]
    tables = [f'[{name}]\ntype = "ordered.py:{cls}"\nnumber = {number}\n' for name, cls in parts]
    lamp = f'[lamps.one]\ntype = "bulb.py:Bulb"\ncolour = "{colour}"\n'
    return "".join([*tables, lamp, '[consumers.worker]\ntype = "worker.py:Worker"\n'])


def test_parts_start_and_are_reloaded_in_one_order_and_stop_in_the_reverse(hub: RunningHub) -> None:
    (hub.directory / "ordered.py").write_text(ORDERED)
    (hub.directory / "worker.py").write_text(WORKER)
    hub.file.write_text(ordered(1, "red"))
    with hub:
        hub.file.write_text(ordered(2, "blue"))
        hub.command("reload")
        assert hub.stop() == 0
    started = ["one red lit", "door 1 opened", "source 1 started"]
    lamp, door, source = ("one red out", "one blue lit"), ("door 1 closed", "door 2 opened"), "source 1 stopped"
    reloaded = [*lamp, *door, source, "source 2 started"]
    assert history(hub) == [*started, *reloaded, "source 2 stopped", "worker stopped", "door 2 closed", "one blue out"]
