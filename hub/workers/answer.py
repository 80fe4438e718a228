"""What a consumer's methods return: nothing. What stands for work that is not done yet is refused."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from concurrent.futures import Future

from hub.children import forked, leave, other_code
from hub.consumer import Consumer
from hub.message import Message


class NotDone(TypeError):
    """A method returned something to be awaited, so that nothing would be done, or nobody would know that it failed."""


def call(method: Callable[[], object]) -> None:
    """Call ``start``, ``tick`` or ``stop`` of a consumer. :raises NotDone: see :func:`refuse_unfinished`."""
    with other_code():
        refuse_unfinished(method(), method)


def give(consume_batch: Callable[[list[Message]], object], messages: list[Message], consumer: Consumer) -> None:
    """Have a batch consumed. :raises NotDone: see :func:`refuse_unfinished`."""
    with other_code():
        refuse_unfinished(consume_batch(messages), consumer.consume_batch)


def refuse_unfinished(answer: object, method: Callable[..., object]) -> None:
    """Of a call that returned; to be called where it did not return ``None``, or in a child that it forked, which ends.

    :raises NotDone: what it returned is a coroutine, a Deferred, a future, a generator.
    """
    if forked:
        leave()
    if not stands_for_work(answer):
        return
    name = getattr(method, "__qualname__", repr(method))
    what = f"{type(answer).__name__} {getattr(answer, '__qualname__', '')}".strip()
    if inspect.iscoroutine(answer):
        answer.close()
    raise NotDone(
        f"{name}() returned a {what}: a worker is a thread, and waits for nothing that is returned. "
        "Do the work before it returns: asyncio.run(...) for a coroutine, result() for a future"
    )


def stands_for_work(answer: object) -> bool:
    """Whether it is something to be awaited, or run: a coroutine, a Deferred, a future, a generator."""
    return (
        inspect.isawaitable(answer)
        or inspect.isgenerator(answer)
        or inspect.isasyncgen(answer)
        or isinstance(answer, Future)
    )
