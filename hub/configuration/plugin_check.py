"""Checks plugin classes with the configuration, so that faults show before the first message."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterator
from typing import Any

from hub.configuration.schema import ConsumerSettings
from hub.configuration.unfinished import unfinished
from hub.consumer import Consumer
from hub.settings import Settings

CLASS_DEFAULTS = ("topics", "queue", "jobs", "threads", "batch_size", "batch_wait", "every")
"""Settings for which a consumer's class may define a default."""
PLAIN = (str, int, float, list, tuple, set, frozenset)
"""Types that a setting's value can have, and a method or a property can't."""
MESSAGES = {"consume": ("message",), "consume_batch": ("messages",)}
"""Parameters of the methods that are called with some."""
WORK = ("consume", "consume_batch", "tick")
"""Methods of which a consumer has one at least."""
CALLED = (*WORK, "start", "stop")


def overrides(cls: type[Any], name: str) -> bool:
    """True if a consumer's class defines that method."""
    return inspect.getattr_static(cls, name) is not inspect.getattr_static(Consumer, name)


def construction_flaws(cls: type[Any], taken: set[str]) -> Iterator[str]:
    """Reasons why no part can be made of a class; each completes a sentence that begins with the class's name.

    :param taken: names of the hub's settings in the same table.
    """
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


def consumer_flaws(cls: type[Any]) -> Iterator[str]:
    """Reasons why a ``Consumer`` subclass can't work: methods that could not be called, attributes that are never
    read."""
    if not any(overrides(cls, name) for name in WORK):
        yield "has neither consume() nor consume_batch() nor tick()"
    for name in CALLED:
        method = inspect.getattr_static(cls, name, None)
        if not callable(getattr(cls, name, None)):
            yield f"has a {name} that is no method"
        elif inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method):
            yield f"has an async {name}(): workers are threads, and would not await it"
        elif inspect.isgeneratorfunction(method):
            yield f"has a {name}() that yields: nothing in it would ever run"
        elif overrides(cls, name):
            yield from _of_a_method(cls, name)
    yield from _of_attributes(cls)


def _of_a_method(cls: type[Any], name: str) -> Iterator[str]:
    takes = MESSAGES.get(name, ())
    try:
        signature = inspect.signature(inspect.getattr_static(cls, name).__get__(object(), cls))
        signature.bind(*takes)
    except TypeError:
        wanted = f"{name}({', '.join(('self', *takes))})"
        yield f"has a {name}() with other parameters than it is called with: {wanted}"
    except (AttributeError, ValueError):  # it has no signature
        return
    if (what := unfinished(cls, name)) is not None:
        yield f"has a {name}() that returns {what}: workers are threads, and would not await it"


def _of_attributes(cls: type[Any]) -> Iterator[str]:
    """Class attributes that look like settings, and that are never read."""
    own = {name: value for base in cls.__mro__ if base not in Consumer.__mro__ for name, value in vars(base).items()}
    values = [name for name, value in own.items() if not name.startswith("_") and isinstance(value, PLAIN)]
    for name in values:
        close = difflib.get_close_matches(name, CLASS_DEFAULTS, n=1, cutoff=0.8)
        if name in ConsumerSettings.model_fields and name not in CLASS_DEFAULTS:
            yield f"has a class attribute {name!r}, which is never read: set it in hub.conf"
        elif close and name not in CLASS_DEFAULTS and close[0] not in own:
            yield f"has a class attribute {name!r}, which is never read; did you mean {close[0]!r}?"
