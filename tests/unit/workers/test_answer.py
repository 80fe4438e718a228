"""A consumer's methods return nothing; what stands for work that is not done is refused."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Future
from typing import Any

import pytest
from twisted.internet.defer import Deferred, inlineCallbacks

from hub import Consumer, Message
from hub.testing.bench import Benches
from hub.workers.answer import NotDone, call, refuse_unfinished


async def coroutine() -> None:
    raise ValueError("nobody sees this")


def generator() -> Iterator[int]:
    yield 1


async def stream() -> AsyncIterator[int]:
    yield 1


@inlineCallbacks
def callbacks() -> Any:
    yield Deferred()


class Awaitable:
    def __await__(self) -> Iterator[Any]:
        yield


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (coroutine, "coroutine coroutine"),
        (generator, "generator generator"),
        (stream, "async_generator stream"),
        (callbacks, "Deferred"),
        (Deferred, "Deferred"),
        (Future, "Future"),
        (Awaitable, "Awaitable"),
        (lambda: asyncio.new_event_loop().create_future(), "Future"),
    ],
)
def test_what_is_not_done_yet_is_refused_by_name(make: Callable[[], object], said: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # such as: a coroutine was never awaited
        with pytest.raises(NotDone, match=rf"make_work\(\) returned a {said}: a worker is a thread"):
            refuse_unfinished(make(), make_work)


def make_work() -> None:
    """Stands for a consumer's method."""


@pytest.mark.parametrize("answer", [None, True, 7, "done", [1], {}])
def test_any_other_answer_is_none_of_the_hubs_business(answer: object) -> None:
    refuse_unfinished(answer, make_work)


def test_start_tick_and_stop_are_held_to_it_too() -> None:
    call(make_work)
    with pytest.raises(NotDone, match="coroutine"):
        call(coroutine)


class Lazy(Consumer):
    def consume(self, message: Message) -> None:
        return coroutine()  # type: ignore[return-value]


class LazyInBulk(Consumer):
    def consume_batch(self, messages: Sequence[Message]) -> None:
        return coroutine()  # type: ignore[return-value]


@pytest.mark.parametrize("cls", [Lazy, LazyInBulk])
def test_a_message_whose_work_is_not_done_is_no_finished_one(hubbub: Benches, cls: type[Consumer]) -> None:
    bench = hubbub(cls, max_attempts=1)
    bench.deliver("a.b", {})
    bench.run()
    (letter,) = bench.dead_letters
    assert letter.error == "NotDone"
    assert f"NotDone: {cls.__name__}.consume" in letter.traceback
