"""A plugin that sets a handler of its own does not get the hub's signals."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from hub.partlog import part_log
from hub.signals import Signals, kept


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = signal.getsignal(signal.SIGHUP)
    yield
    signal.signal(signal.SIGHUP, before)


def a_plugins_own(*_: object) -> None:
    pytest.fail("the plugin was called")


def test_a_signal_that_was_taken_is_taken_back_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    got: list[int] = []
    signals = Signals({signal.SIGHUP: lambda number, _: got.append(number)}, part_log("hub", "process"))
    signals.install()
    signals.look()
    assert caplog.messages == []
    signal.signal(signal.SIGHUP, a_plugins_own)
    for _ in range(2):
        signals.look()
    assert caplog.messages == [
        f"SIGHUP was taken by {__name__}.a_plugins_own; the hub has taken it back. Plugins clean up in stop()"
    ]
    os.kill(os.getpid(), signal.SIGHUP)
    assert got == [signal.SIGHUP]


def test_one_that_was_switched_off_is_taken_back_too() -> None:
    signals = Signals({signal.SIGHUP: a_plugins_own}, part_log("hub", "process"))
    signals.install()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signals.look()
    assert signal.getsignal(signal.SIGHUP) is a_plugins_own


def test_what_a_plugin_takes_while_it_is_made_is_taken_back_at_once(caplog: pytest.LogCaptureFixture) -> None:
    before = signal.getsignal(signal.SIGHUP)
    with kept("consumers.c"):
        signal.signal(signal.SIGHUP, a_plugins_own)
    assert signal.getsignal(signal.SIGHUP) is before
    (told,) = caplog.messages
    assert told.startswith(f"SIGHUP was taken by consumers.c ({__name__}.a_plugins_own)")
    with kept("consumers.d"):
        pass
    assert len(caplog.messages) == 1
