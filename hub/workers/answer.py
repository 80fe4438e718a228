"""Calls of a consumer's methods. They return nothing: a coroutine, a future or the like is refused."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from concurrent.futures import Future

from hub.children import forked, leave, other_code
from hub.consumer import Consumer
from hub.message import Message


class NotDone(TypeError):
    """Error: a method returned something to be awaited. Its work would not be done, or its failure not be seen."""


def call(method: Callable[[], object]) -> None:
    """Call ``start``, ``tick`` or ``stop`` of a consumer. :raises NotDone: see :func:`refuse_unfinished`."""
    with other_code():
        refuse_unfinished(method(), method)


def give(consume_batch: Callable[[list[Message]], object], messages: list[Message], consumer: Consumer) -> None:
    """Call ``consume_batch``. :raises NotDone: see :func:`refuse_unfinished`."""
    with other_code():
        refuse_unfinished(consume_batch(messages), consumer.consume_batch)


def refuse_unfinished(answer: object, method: Callable[..., object]) -> None:
    """Refuse an unfinished answer of a call. In a child process that the call forked, end the child.

    :raises NotDone: the answer is a coroutine, a Deferred, a future or a generator.
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
    """Tell whether an answer is a coroutine, a Deferred, a future or a generator."""
    return (
        inspect.isawaitable(answer)
        or inspect.isgenerator(answer)
        or inspect.isasyncgen(answer)
        or isinstance(answer, Future)
    )
