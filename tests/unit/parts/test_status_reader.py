"""The status in a consumer's thread: made in the reactor's, waited for in bounded time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from hub.consumer import no_status
from hub.errors import HubError, Unavailable
from hub.parts.status_reader import StatusReader


class Reactor:
    """Makes calls in a thread of its own, or never."""

    def __init__(self, runs: bool = True) -> None:
        self.runs = runs

    def callFromThread(self, call: Callable[[], None]) -> None:
        if self.runs:
            threading.Thread(target=call).start()


def reader(snapshot: Callable[[], Mapping[str, Any]], runs: bool = True, inside: bool = False) -> StatusReader:
    return StatusReader(Reactor(runs), snapshot, 20.0 if runs else 0.01, lambda: inside)


def test_it_is_made_in_the_other_thread() -> None:
    made_in: list[int] = []

    def snapshot() -> Mapping[str, Any]:
        made_in.append(threading.get_ident())
        return {"hub": {}}

    assert reader(snapshot).read() == {"hub": {}}
    assert made_in != [threading.get_ident()]


def test_an_error_of_it_is_raised_where_it_is_waited_for() -> None:
    with pytest.raises(ZeroDivisionError):
        reader(lambda: {"x": 1 / 0}).read()


def test_nobody_waits_for_ever_nor_for_himself() -> None:
    with pytest.raises(Unavailable, match="no status within"):
        reader(dict, runs=False).read()
    with pytest.raises(HubError, match="not in status"):
        reader(dict, inside=True).read()
    with pytest.raises(HubError, match="there is no hub here"):
        no_status()
