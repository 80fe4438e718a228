"""An event that calls back."""

from __future__ import annotations

import threading

from hub.workers.callback_event import CallbackEvent


def test_it_calls_those_who_asked_once_it_is_set_and_once_only() -> None:
    event, calls = CallbackEvent(), list[str]()
    event.when_set(lambda: calls.append("a"))
    event.when_set(lambda: calls.append("b"))
    assert calls == []
    event.set()
    event.set()
    assert calls == ["a", "b"]
    assert event.is_set()


def test_who_asks_too_late_is_called_at_once() -> None:
    event, calls = CallbackEvent(), list[bool]()
    event.set()
    event.when_set(lambda: calls.append(True))
    assert calls == [True]


def test_the_call_is_made_in_the_thread_that_sets_it_when_it_is_set_already() -> None:
    event, seen = CallbackEvent(), list[tuple[str, bool]]()
    event.when_set(lambda: seen.append((threading.current_thread().name, event.is_set())))
    thread = threading.Thread(target=event.set, name="last")
    thread.start()
    thread.join(10)
    assert seen == [("last", True)]


def test_no_call_is_lost_between_threads_that_ask_and_the_one_that_sets() -> None:
    for _ in range(200):
        event, calls, ready = CallbackEvent(), list[int](), threading.Barrier(2)

        def ask(event: CallbackEvent = event, calls: list[int] = calls, ready: threading.Barrier = ready) -> None:
            ready.wait(10)
            event.when_set(lambda: calls.append(1))

        thread = threading.Thread(target=ask)
        thread.start()
        ready.wait(10)
        event.set()
        thread.join(10)
        assert calls == [1]
