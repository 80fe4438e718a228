"""Why a class that was found can't serve: told when the configuration is checked, not when the first message comes."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterator
from typing import Any

from hub.configuration.schema import ConsumerSettings
from hub.configuration.unfinished import unfinished
from hub.consumer import Consumer
from hub.settings import Settings

CLASS_DEFAULTS = ("topics", "threads", "batch_size", "batch_wait", "every")
"""Settings that a consumer's class may give a default of its own."""
PLAIN = (str, int, float, list, tuple, set, frozenset)
"""What a setting's value can be, and a method or a property is not."""
MESSAGES = {"consume": ("message",), "consume_batch": ("messages",)}
"""What is given to those that are given something."""
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
        elif overrides(cls, verb):
            yield from _of_a_method(cls, verb)
    yield from _of_attributes(cls)


def _of_a_method(cls: type[Any], verb: str) -> Iterator[str]:
    takes = MESSAGES.get(verb, ())
    try:
        signature = inspect.signature(inspect.getattr_static(cls, verb).__get__(object(), cls))
        signature.bind(*takes)
    except TypeError:
        wanted = f"{verb}({', '.join(('self', *takes))})"
        yield f"has a {verb}() with other parameters than it is called with: {wanted}"
    except (AttributeError, ValueError):  # it can't be told
        return
    if (what := unfinished(cls, verb)) is not None:
        yield f"has a {verb}() that returns {what}: workers are threads, and would not await it"


def _of_attributes(cls: type[Any]) -> Iterator[str]:
    """Values in the class that look like settings, and that nobody reads."""
    own = {name: value for base in cls.__mro__ if base not in Consumer.__mro__ for name, value in vars(base).items()}
    values = [name for name, value in own.items() if not name.startswith("_") and isinstance(value, PLAIN)]
    for name in values:
        close = difflib.get_close_matches(name, CLASS_DEFAULTS, n=1, cutoff=0.8)
        if name in ConsumerSettings.model_fields and name not in CLASS_DEFAULTS:
            yield f"has a class attribute {name!r}, which nobody reads: set it in hub.conf"
        elif close and name not in CLASS_DEFAULTS and close[0] not in own:
            yield f"has a class attribute {name!r}, which nobody reads; did you mean {close[0]!r}?"


def _of_a_plugin(section: str, cls: type[Any]) -> Iterator[str]:
    missing = [f"{method}()" for method in METHODS[section] if not callable(getattr(cls, method, None))]
    declared = {name for base in cls.__mro__ for name in vars(base).get("__annotations__", {})}
    missing += [name for name in ATTRIBUTES[section] if not hasattr(cls, name) and name not in declared]
    if missing:
        yield f"is not one of the {section}: it has no {', '.join(missing)}"
