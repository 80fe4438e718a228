"""Why a class that was found can't serve: told when the configuration is checked, not when the first message comes."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from hub.consumer import Consumer
from hub.settings import Settings

VERBS = ("consume", "consume_batch", "tick")
CALLED = (*VERBS, "start", "stop")
METHODS = {
    "backends": ("start", "subscribe", "confirm", "publish", "pause", "resume", "stop", "status"),
    "exporters": ("export", "close"),
    "servers": ("start", "stop", "status"),
}
ATTRIBUTES = {"backends": ("confirms", "holds_back"), "exporters": (), "servers": ()}


def overrides(cls: type[Any], verb: str) -> bool:
    """Whether a consumer's class brings that method."""
    return getattr(cls, verb) is not getattr(Consumer, verb)


def flaws(section: str, cls: type[Any], taken: set[str]) -> Iterator[str]:
    """Each completes a sentence that begins with the name of the class.

    :param taken: the settings that the hub has in the same table.
    """
    if not isinstance(cls, type):
        yield "is installed as something that is no class"
        return
    if section == "consumers" and not issubclass(cls, Consumer):
        yield "is not a subclass of hub.Consumer"
        return
    yield from _of_a_consumer(cls) if section == "consumers" else _of_a_plugin(section, cls)
    if inspect.isabstract(cls):
        yield f"is abstract: it lacks {', '.join(sorted(cls.__abstractmethods__))}"
    else:
        try:
            inspect.signature(cls).bind(None)
        except (TypeError, ValueError) as error:
            yield f"can't be made from a context alone: {error}"
    own = getattr(cls, "Config", Settings)
    if not (isinstance(own, type) and issubclass(own, Settings)):
        yield "has a Config that is not a subclass of hub.Settings"
    elif both := sorted(set(own.model_fields) & taken):
        yield f"has settings in its Config that the hub has too: {', '.join(both)}"


def _of_a_consumer(cls: type[Any]) -> Iterator[str]:
    if not any(overrides(cls, verb) for verb in VERBS):
        yield "has neither consume() nor consume_batch() nor tick()"
    for verb in CALLED:
        method = inspect.getattr_static(cls, verb, None)
        if not callable(getattr(cls, verb, None)):
            yield f"has a {verb} that is no method"
        elif inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method):
            yield f"has an async {verb}(): workers are threads, and would not await it"
        elif inspect.isgeneratorfunction(method):
            yield f"has a {verb}() that yields: nothing in it would ever run"


def _of_a_plugin(section: str, cls: type[Any]) -> Iterator[str]:
    missing = [f"{method}()" for method in METHODS[section] if not callable(getattr(cls, method, None))]
    declared = {name for base in cls.__mro__ for name in vars(base).get("__annotations__", {})}
    missing += [name for name in ATTRIBUTES[section] if not hasattr(cls, name) and name not in declared]
    if missing:
        yield f"is not one of the {section}: it has no {', '.join(missing)}"
