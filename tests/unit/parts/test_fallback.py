"""What was there before comes back where the new one fails."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from hub.configuration.schema import Part
from hub.errors import ConfigError, HubError
from hub.parts.fallback import start_or_fall_back
from tests.unit.doubles import backend_part

NEW, OLD = backend_part("bus", fingerprint="v2"), backend_part("bus")


def attempt(before: Part | None, *answers: HubError | None) -> tuple[list[str], list[tuple[Part, Any]]]:
    """The lines, and what was started with what. :param answers: what the starts fail with, one after the other."""
    started: list[tuple[Part, Any]] = []

    def start(part: Part, made: Any) -> Deferred[None]:
        started.append((part, made))
        answer = answers[len(started) - 1]
        return succeed(None) if answer is None else fail(answer)

    done = start_or_fall_back("backends", NEW, "new", before, lambda part: "old", start)
    lines: list[str] = SynchronousTestCase().successResultOf(done)
    return lines, started


def test_nothing_is_said_of_one_that_starts() -> None:
    assert attempt(OLD, None) == ([], [(NEW, "new")])


def test_a_new_one_has_nothing_to_fall_back_on() -> None:
    assert attempt(None, ConfigError(["no key", "no name"])) == (["no key; no name"], [(NEW, "new")])


def test_the_old_one_is_made_and_started_anew() -> None:
    lines, started = attempt(OLD, HubError("in use"), None)
    assert lines == ["in use; it keeps its old settings"]
    assert started == [(NEW, "new"), (OLD, "old")]


def test_both_reasons_are_told() -> None:
    lines, _ = attempt(OLD, HubError("in use"), HubError("gone"))
    assert lines == ["in use; it does not start with its old settings either: gone"]
