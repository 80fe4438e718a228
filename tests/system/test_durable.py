"""What an operator does with a durable hub: restarts, dead letters, replay, orphans. A real hub, the real command."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.support import PATIENCE, free_port, wait_until
from tests.system.hubs import RunningHub

pytestmark = pytest.mark.system

CONSUMERS = """
import json
import os
import time
from pathlib import Path
from hub import Consumer

class Notes(Consumer):
    \"\"\"Notes what it gets; fails while the file 'broken' is there, waits while 'closed' is.\"\"\"

    def start(self):
        self.here = Path(__file__).parent
        self.file = os.open(self.here / self.context.name, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def consume(self, message):
        if (self.here / "broken").exists() and message.json()["n"] % 2:
            raise KeyError("no such user")
        while (self.here / "closed").exists():
            time.sleep(0.01)
        os.write(self.file, b"%d\\n" % message.json()["n"])
"""


class Place:
    """A directory with a hub's configuration, and what its consumers noted."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.endpoint = f"tcp://127.0.0.1:{free_port()}"
        (directory / "notes.py").write_text(CONSUMERS)

    def configuration(self, *names: str, hub: str = "", **settings: Any) -> str:
        text = f'[hub]\n{hub}\n[backends.bus]\ntype = "zeromq"\nbind = ["{self.endpoint}"]\n'
        text += f'publish_connect = ["{self.endpoint}"]\n'
        for name in names:
            lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in settings.items())
            text += f'[consumers.{name}]\ntype = "notes.py:Notes"\n{lines}\n'
        return text

    def noted(self, name: str) -> list[int]:
        file = self.directory / name
        return [int(line) for line in file.read_text().split()] if file.exists() else []

    def flag(self, name: str, on: bool) -> None:
        (self.directory / name).touch() if on else (self.directory / name).unlink()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def feed(hub: RunningHub, start: int, stop: int, topic: str = "a.b") -> None:
    before = hub.status()["hub"]["received"]
    messages = hub.directory / "messages.jsonl"
    messages.write_text("".join(json.dumps({"topic": topic, "n": n}) + "\n" for n in range(start, stop)))
    hub.command("feed", str(messages), "--quiet")
    wait_until(lambda: hub.status()["hub"]["received"] == before + stop - start)


def consumer(hub: RunningHub, name: str) -> dict[str, Any]:
    found: dict[str, Any] = hub.status()["consumers"][name]
    return found


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_what_waits_is_there_again_after_the_hub_was_ended(place: Place, how: signal.Signals) -> None:
    place.flag("closed", True)
    text = place.configuration("one", "two", hub='stop_timeout = "1s"')
    with RunningHub(place.directory, text) as hub:
        feed(hub, 0, 50)
        wait_until(lambda: hub.status()["hub"]["store"]["pending"] == 0)
        hub.process.send_signal(how)
        hub.process.wait(30 * PATIENCE)
    place.flag("closed", False)
    with RunningHub(place.directory, text) as hub:
        wait_until(lambda: all(consumer(hub, name)["backlog"] == 0 for name in ("one", "two")))
        assert consumer(hub, "one")["received"] == 50
    assert sorted(set(place.noted("one"))) == sorted(set(place.noted("two"))) == list(range(50))
    assert len(place.noted("one")) <= 51


def test_dead_letters_are_grouped_shown_and_tried_again(place: Place) -> None:
    place.flag("broken", True)
    with RunningHub(place.directory, place.configuration("c", max_attempts=1)) as hub:
        feed(hub, 0, 10)
        wait_until(lambda: consumer(hub, "c")["dead"] == 5)
        wait_until(lambda: len(hub.command("dead", "list", "c").stdout.splitlines()) == 5)
        (group,) = hub.command("dead", "list", "c", "--group", "--json").stdout.splitlines()
        assert json.loads(group)["count"] == 5
        first = json.loads(hub.command("dead", "list", "c", "--json").stdout.splitlines()[0])
        shown = hub.command("dead", "show", "c", str(first["number"])).stdout
        assert '{"n":1,"topic":"a.b"}' in shown.replace(" ", "")
        assert "KeyError" in shown
        refused = hub.command("dead", "retry", "c", "--canary", "1", check=False)
        assert refused.returncode == 69
        assert "1 failed again" in refused.stderr
        place.flag("broken", False)
        hub.command("dead", "retry", "c", "--canary", "1", "--error", "KeyError")
        wait_until(lambda: sorted(place.noted("c")) == list(range(10)))
        wait_until(lambda: hub.command("dead", "list", "c").stdout == "")


def test_some_dead_letters_are_deleted_and_they_outlive_a_restart(place: Place) -> None:
    place.flag("broken", True)
    text = place.configuration("c", max_attempts=1)
    with RunningHub(place.directory, text) as hub:
        feed(hub, 0, 6)
        wait_until(lambda: consumer(hub, "c")["dead"] == 3)
        hub.stop()
    with RunningHub(place.directory, text) as hub:
        letters = [json.loads(line) for line in hub.command("dead", "list", "c", "--json").stdout.splitlines()]
        assert [json.loads(letter["body"])["n"] for letter in letters] == [1, 3, 5]
        hub.command("dead", "delete", "c", "--number", str(letters[1]["number"]), "--yes")
        wait_until(lambda: len(hub.command("dead", "list", "c").stdout.splitlines()) == 2)
        assert hub.command("dead", "delete", "c", "--older-than", "1h", "--yes").stdout == "0 deleted\n"


def test_what_is_kept_is_replayed_to_one_consumer(place: Place) -> None:
    with RunningHub(place.directory, place.configuration("old", hub='keep = "1h"')) as hub:
        feed(hub, 0, 20)
        feed(hub, 20, 30, topic="a.c")
        wait_until(lambda: len(place.noted("old")) == 30)
        wait_until(lambda: hub.status()["hub"]["store"]["messages"] == 30)
        hub.file.write_text(place.configuration("old", "new", hub='keep = "1h"'))
        hub.command("reload")
        dry = hub.command("replay", "new", "--since", "1h", "--dry-run").stdout
        assert dry == "30 messages would be given to new again\n"
        assert place.noted("new") == []
        hub.command("replay", "new", "--since", "1h", "--topic", "a.b")
        wait_until(lambda: place.noted("new") == list(range(20)))
        assert json.loads(hub.command("replay", "new", "--since", "1h", "--json").stdout)["replayed"] == 30
        wait_until(lambda: len(place.noted("new")) == 50)
        assert len(place.noted("old")) == 30
        assert hub.command("replay", "nobody", "--since", "1h", check=False).returncode != 0


def test_the_queue_of_a_consumer_that_was_removed_is_kept_until_it_is_deleted(place: Place) -> None:
    place.flag("closed", True)
    with RunningHub(place.directory, place.configuration("gone", "stays", hub='stop_timeout = "1s"')) as hub:
        feed(hub, 0, 5)
        wait_until(lambda: hub.status()["hub"]["store"]["pending"] == 0)
        hub.process.kill()
        hub.process.wait()
    place.flag("closed", False)
    with RunningHub(place.directory, place.configuration("stays")) as hub:
        wait_until(lambda: consumer(hub, "stays")["backlog"] == 0)
        assert (consumer(hub, "gone")["state"], consumer(hub, "gone")["backlog"]) == ("orphan", 5)
        assert "gone" in hub.command("queue", "list").stdout
        refused = hub.command("queue", "delete", "stays", "--yes", check=False)
        assert "take it out of the configuration" in refused.stderr
        hub.command("queue", "delete", "gone", "--yes")
        wait_until(lambda: "gone" not in hub.status()["consumers"])
        wait_until(lambda: hub.status()["hub"]["store"]["used_bytes"] < 100_000)


def test_a_queue_is_purged(place: Place) -> None:
    place.flag("closed", True)
    with RunningHub(place.directory, place.configuration("c", hub='stop_timeout = "1s"')) as hub:
        feed(hub, 0, 100)
        purged = json.loads(hub.command("queue", "purge", "c", "--yes", "--json").stdout)["purged"]
        assert 97 <= purged <= 100
        assert consumer(hub, "c")["dropped_by"]["purged"] == purged
        place.flag("closed", False)
        wait_until(lambda: consumer(hub, "c")["backlog"] == 0)


def test_a_new_consumer_may_begin_with_what_was_kept(place: Place) -> None:
    with RunningHub(place.directory, place.configuration("old", hub='keep = "1h"')) as hub:
        feed(hub, 0, 20)
        wait_until(lambda: hub.status()["hub"]["store"]["messages"] == 20)
        hub.file.write_text(place.configuration("old", "new", hub='keep = "1h"', begin="30m"))
        hub.command("reload")
        wait_until(lambda: place.noted("new") == list(range(20)))
        feed(hub, 20, 25)
        wait_until(lambda: place.noted("new") == place.noted("old") == list(range(25)))


def test_what_comes_by_two_ways_is_given_once(place: Place) -> None:
    with RunningHub(place.directory, place.configuration("c", hub='deduplicate = "10m"')) as hub:
        messages = hub.directory / "messages.jsonl"
        lines = [{"topic": "a.b", "n": n % 3, "msg_id": f"2026-{n % 2}"} for n in range(12)]
        messages.write_text("".join(json.dumps(line) + "\n" for line in lines))
        hub.command("feed", str(messages), "--quiet")
        wait_until(lambda: hub.status()["hub"]["duplicates"] == 6)
        assert hub.status()["hub"]["collisions"] == 4
        wait_until(lambda: sorted(place.noted("c")) == [0, 0, 1, 1, 2, 2])


def test_a_renamed_consumer_takes_its_queue_with_it(place: Place) -> None:
    place.flag("closed", True)
    with RunningHub(place.directory, place.configuration("old", hub='stop_timeout = "1s"')) as hub:
        feed(hub, 0, 5)
        hub.stop()
    place.flag("closed", False)
    for _ in range(2):
        with RunningHub(place.directory, place.configuration("new", renamed_from="old")) as hub:
            wait_until(lambda: consumer(hub, "new")["backlog"] == 0)
            assert list(hub.status()["consumers"]) == ["new"]
            assert consumer(hub, "new")["received"] == 5
            hub.stop()
    assert sorted(set(place.noted("new"))) == list(range(5))
