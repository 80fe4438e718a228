"""Settings that contradict each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.configuration.configurations import configure, problems


def table(cls: str, more: str) -> str:
    return f'[consumers.c]\ntype = "classes.py:{cls}"\n{more}\n'


@pytest.mark.parametrize(
    ("cls", "more", "said"),
    [
        (
            "Plain",
            'ordering = "strict"\nthreads = 2',
            "4: consumers.c.threads: ordering = 'strict' takes one message at a time: "
            "set threads = 1, or order_by instead",
        ),
        (
            "Plain",
            'ordering = "strict"\norder_by = "header:a"',
            "4: consumers.c.order_by: ordering = 'strict' keeps the order of all messages: leave one of the two out",
        ),
        ("Plain", 'backoff = "10m"', "3: consumers.c.backoff: is longer than backoff_limit"),
        ("Plain", 'every = "1s"', "3: consumers.c.every: Plain has no tick() to call"),
        (
            "Plain",
            "batch_size = 5",
            "3: consumers.c.batch_size: Plain has no consume_batch(): it is given one message at a time",
        ),
        (
            "Bulk",
            "batch_size = 5\nmax_backlog = 4",
            "3: consumers.c.batch_size: is larger than max_backlog: such a batch would never be full",
        ),
        (
            "Ticking",
            'topics = ["a"]',
            "3: consumers.c.topics: Ticking has no consume(), only tick(): it can't be given messages",
        ),
        (
            "Plain",
            "topics = []",
            "3: consumers.c.topics: is empty: it would receive nothing (to switch it off: enabled = false)",
        ),
    ],
)
def test_each_conflict_is_said(tmp_path: Path, cls: str, more: str, said: str) -> None:
    assert problems(tmp_path, table(cls, more)) == [f"hub.conf:{said}"]


def test_a_consumer_that_only_ticks_subscribes_to_nothing(tmp_path: Path) -> None:
    found = configure(tmp_path, table("Ticking", "")).of("consumers")["c"].settings
    assert (found.topics, found.every) == ([], 60.0)


@pytest.mark.parametrize(
    ("cls", "more"),
    [
        ("Plain", 'ordering = "strict"'),
        ("Plain", 'order_by = "header:a"\nthreads = 4'),
        ("Plain", "max_backlog = 1"),
        ("Bulk", "batch_size = 5\nmax_backlog = 5"),
        ("Good", 'every = "5s"'),
    ],
)
def test_what_goes_together_is_accepted(tmp_path: Path, cls: str, more: str) -> None:
    assert configure(tmp_path, table(cls, more)).of("consumers")


ROOMS = """
from hub import Consumer, Settings, setting

class Rooms(Consumer):
    class Config(Settings):
        rooms: list[str] = setting(..., "Rooms to listen to.")

    @classmethod
    def topics_of(cls, config):
        return [f"chat.{room}.#" for room in config.rooms]

    def consume(self, message):
        pass
"""


def rooms(directory: Path, more: str) -> str:
    (directory / "rooms.py").write_text(ROOMS)
    return f'[consumers.c]\ntype = "rooms.py:Rooms"\n{more}\n'


def test_topics_may_follow_from_the_settings_of_the_class(tmp_path: Path) -> None:
    found = configure(tmp_path, rooms(tmp_path, 'rooms = ["a", "b"]')).of("consumers")["c"].settings
    assert found.topics == ["chat.a.#", "chat.b.#"]


def test_topics_of_the_file_come_before_them(tmp_path: Path) -> None:
    found = configure(tmp_path, rooms(tmp_path, 'rooms = ["a"]\ntopics = ["x"]')).of("consumers")["c"].settings
    assert found.topics == ["x"]


def test_such_topics_are_checked_like_those_of_the_file(tmp_path: Path) -> None:
    source = rooms(tmp_path, 'rooms = [""]')
    (tmp_path / "rooms.py").write_text(ROOMS.replace('f"chat.{room}.#"', "room"))
    (said,) = problems(tmp_path, source)
    assert said.startswith("hub.conf:2: consumers.c.type: the class attribute Rooms.topics: expected topic patterns")


def test_without_its_settings_only_what_is_wrong_with_them_is_said(tmp_path: Path) -> None:
    (said,) = problems(tmp_path, rooms(tmp_path, "rooms = 5"))
    assert "consumers.c.rooms" in said


def test_an_error_in_it_is_said(tmp_path: Path) -> None:
    source = rooms(tmp_path, 'rooms = ["a"]')
    (tmp_path / "rooms.py").write_text(ROOMS.replace("config.rooms", "config.nothing"))
    (said,) = problems(tmp_path, source)
    assert said.startswith("hub.conf:2: consumers.c.type: Rooms.topics_of() failed: AttributeError: ")
