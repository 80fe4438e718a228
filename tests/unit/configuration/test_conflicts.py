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
    found = configure(tmp_path, table("Ticking", "")).consumers["c"].settings
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
    assert configure(tmp_path, table(cls, more)).consumers
