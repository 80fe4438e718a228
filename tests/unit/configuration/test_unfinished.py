"""Methods that can be seen to return work that is not done; and some that look like it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import wraps
from typing import Any

import pytest
from twisted.internet.defer import Deferred, inlineCallbacks

from hub.configuration.unfinished import unfinished


def run(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def ran(*arguments: Any) -> Any:
        return asyncio.run(function(*arguments))

    return ran


class Methods:
    pool = ThreadPoolExecutor(1)

    async def handle(self, message: object) -> None: ...

    def work(self, message: object) -> None: ...

    def returns_a_coroutine(self, message):  # type: ignore[no-untyped-def]
        if message:
            return self.handle(message)
        return None

    @inlineCallbacks
    def callbacks(self, message: object) -> Any:
        yield Deferred()

    def awaitable(self, message: object) -> Awaitable[None]:
        return self.handle(message)

    def future(self, message: object) -> Future[None]:
        return self.pool.submit(self.work, message)

    def deferred(self, message: object) -> Deferred[None]:
        return Deferred()

    def returns_what_is_done(self, message: object) -> None:
        return self.work(message)

    def runs_it(self, message: object) -> None:
        return asyncio.run(self.handle(message))

    def runs_an_inner_one(self, message):  # type: ignore[no-untyped-def]
        async def inner():  # type: ignore[no-untyped-def]
            return self.handle(message)

        asyncio.run(inner())  # type: ignore[no-untyped-call]

    @run
    async def is_run(self, message: object) -> None: ...

    @run
    def is_run_too(self, message: object) -> Awaitable[None]:
        return self.handle(message)

    def unknown(self, message: object) -> Nowhere:  # type: ignore[name-defined]  # noqa: F821
        ...

    builtin = print


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("returns_a_coroutine", "what handle() makes, which is async"),
        ("callbacks", "a Deferred"),
        ("awaitable", "Awaitable, by its annotation"),
        ("future", "Future, by its annotation"),
        ("deferred", "Deferred, by its annotation"),
        *((name, None) for name in ("returns_what_is_done", "runs_it", "runs_an_inner_one", "is_run", "is_run_too")),
        ("unknown", None),
        ("builtin", None),
    ],
)
def test_what_can_be_seen_is_said(name: str, said: str | None) -> None:
    assert unfinished(Methods, name) == said
