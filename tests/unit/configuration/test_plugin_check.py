"""Classes that can't serve."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from hub import Consumer, Context, Message, Settings
from hub.backends.memory import Memory
from hub.configuration.sections import SECTIONS


class Good(Consumer):
    def consume(self, message: Message) -> None: ...


class Asynchronous(Consumer):
    async def consume(self, message: Message) -> None: ...  # type: ignore[override]


class Yielding(Consumer):
    def consume(self, message: Message) -> Iterator[int]:  # type: ignore[override]
        yield 1


class NoMethod(Good):
    stop = 5  # type: ignore[assignment]


class Abstract(Good):
    @abstractmethod
    def more(self) -> None: ...


class Demanding(Good):
    def __init__(self, context: Context, more: int) -> None:
        super().__init__(context)
        self.more = more


class NoConfig(Good):
    Config: ClassVar[Any] = dict


class TwoParameters(Consumer):
    def consume(self, topic, message):  # type: ignore[no-untyped-def, override]
        ...


class NoParameters(Consumer):
    def consume(self):  # type: ignore[no-untyped-def, override]
        ...

    def tick(self, now):  # type: ignore[no-untyped-def, override]
        ...


class Tolerant(Consumer):
    def consume(self, *arguments: Any, **more: Any) -> None: ...

    @staticmethod
    def consume_batch(messages: Any) -> None: ...

    @classmethod
    def start(cls, again: bool = False) -> None: ...


class Returning(Consumer):
    def consume(self, message):  # type: ignore[no-untyped-def]
        return self.handle(message)

    async def handle(self, message: Message) -> None: ...


class FromMoksha(Good):
    topic = "org.example.git.*"


class Ignored(Good):
    max_attempts = 1
    timeout = "10m"
    thread = 4
    limit = 7
    _topic = "x"


class OwnTopic(Good):
    topics = ("a.#",)
    topic = "where.it.publishes"

    @property
    def timeout(self) -> int:
        return 7


class Heir(FromMoksha): ...


class Later:
    """Sets in its constructor what it declares."""

    confirms: bool
    holds_back: bool

    def __init__(self, context: object) -> None: ...

    start = subscribe = unsubscribe = confirm = publish = pause = resume = stop = status = print


PARAMETERS = "with other parameters than it is called with"


@pytest.mark.parametrize(
    ("section", "cls", "said"),
    [
        ("consumers", Good, []),
        ("consumers", Consumer, ["has neither consume() nor consume_batch() nor tick()"]),
        ("consumers", Memory, ["is not a subclass of hub.Consumer"]),
        ("consumers", print, ["is installed as something that is no class"]),
        ("consumers", Asynchronous, ["has an async consume(): workers are threads, and would not await it"]),
        ("consumers", Yielding, ["has a consume() that yields: nothing in it would ever run"]),
        ("consumers", NoMethod, ["has a stop that is no method"]),
        ("consumers", NoConfig, ["has a Config that is not a subclass of hub.Settings"]),
        ("consumers", Demanding, ["can't be made from a context alone: missing a required argument: 'more'"]),
        ("consumers", TwoParameters, [f"has a consume() {PARAMETERS}: consume(self, message)"]),
        (
            "consumers",
            NoParameters,
            [f"has a consume() {PARAMETERS}: consume(self, message)", f"has a tick() {PARAMETERS}: tick(self)"],
        ),
        ("consumers", Tolerant, []),
        (
            "consumers",
            Returning,
            [
                "has a consume() that returns what handle() makes, which is async: workers are threads, "
                "and would not await it"
            ],
        ),
        ("consumers", FromMoksha, ["has a class attribute 'topic', which is never read; did you mean 'topics'?"]),
        ("consumers", Heir, ["has a class attribute 'topic', which is never read; did you mean 'topics'?"]),
        (
            "consumers",
            Ignored,
            [
                "has a class attribute 'max_attempts', which is never read: set it in hub.conf",
                "has a class attribute 'timeout', which is never read: set it in hub.conf",
                "has a class attribute 'thread', which is never read; did you mean 'threads'?",
            ],
        ),
        ("consumers", OwnTopic, []),
        ("backends", Memory, []),
        ("backends", Later, []),
        ("exporters", Memory, ["is not one of the exporters: it has no export(), close()"]),
        ("backends", Settings, None),
    ],
)
def test_each_flaw_is_said(section: str, cls: Any, said: list[str] | None) -> None:
    found = list(SECTIONS[section].flaws(cls))
    if said is None:
        assert found[0].endswith("it has no start(), subscribe(), unsubscribe(), confirm(), publish(), pause(), "
                                 "resume(), stop(), status(), confirms, holds_back")  # fmt: skip
    else:
        assert found == said


def test_an_abstract_class_names_what_it_lacks() -> None:
    abstract = type("Abstract", (Abstract,), {})
    assert list(SECTIONS["consumers"].flaws(abstract)) == []
