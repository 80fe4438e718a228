"""One ``[section.NAME]`` table: finds its class, and checks the hub's settings and the class's own together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hub import plugins
from hub.config import SECTIONS, Part
from hub.consumer import Consumer
from hub.errors import PluginError
from hub.problems import Where, problems_of
from hub.settings import Settings

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
CLASS_DEFAULTS = ("topics", "threads", "batch_size", "batch_wait", "every")
"""Settings that a consumer's class may give a default of its own."""
METHODS = {
    "backends": ("start", "subscribe", "confirm", "publish", "pause", "resume", "stop", "status"),
    "exporters": ("export", "close"),
}


class _FlawedError(Exception):
    def __init__(self, path: tuple[str, ...], text: str) -> None:
        super().__init__(text)
        self.path = path


class PartReader:
    """Collects what is wrong in ``problems`` instead of stopping at the first.

    :param directory: what relative paths are taken from.
    """

    def __init__(self, where: Where, directory: Path) -> None:
        self.problems: list[str] = []
        self._where = where
        self._directory = directory

    def read(self, section: str, name: str, table: object) -> Part | None:
        """The part, or ``None`` where something is wrong with it."""
        try:
            return self._read(section, name, table)
        except _FlawedError as flaw:
            self.problems.append(f"{self._where(flaw.path)}: {flaw}")
            return None

    def _read(self, section: str, name: str, table: object) -> Part | None:
        path = (section, name)
        if not NAME.fullmatch(name):
            raise _FlawedError(path, "a name has at most 64 characters, of A-Z a-z 0-9 _ . -")
        if not isinstance(table, dict):
            raise _FlawedError(path, f"expected a table, [{section}.NAME], not {table!r}")
        model, group = SECTIONS[section]
        spec = table.get("type")
        if not isinstance(spec, str):
            raise _FlawedError((*path, "type"), "must be set" if spec is None else f"expected a text, not {spec!r}")
        try:
            plugin = plugins.load(group, spec, self._directory)
        except PluginError as error:
            raise _FlawedError((*path, "type"), str(error)) from error
        if flaw := _flaw(section, plugin.cls):
            raise _FlawedError((*path, "type"), f"{spec!r} {flaw}")
        own: type[Settings] = getattr(plugin.cls, "Config", Settings)
        if both := sorted(set(own.model_fields) & set(model.model_fields)):
            raise _FlawedError(path, f"{plugin.cls.__name__}.Config has a setting of the hub's: {', '.join(both)}")
        given = {key: value for key, value in table.items() if key not in own.model_fields}
        for_it = {key: value for key, value in table.items() if key in own.model_fields}
        known = {*model.model_fields, *own.model_fields}
        settings = self._validated(model, _defaults(section, plugin.cls) | given, path, known)
        config = self._validated(own, for_it, path, known)
        if settings is None or config is None:
            return None
        if section == "consumers":
            _agree(settings, path)
        return Part(name, plugin, settings, config)

    def _validated(self, model: type[Settings], table: Mapping[str, Any], path: Any, known: set[str]) -> Any:
        try:
            return model.model_validate(table, context={"directory": self._directory})
        except ValidationError as error:
            self.problems.extend(problems_of(error, path, self._where, known))
            return None


def _agree(settings: Any, path: tuple[str, ...]) -> None:
    if settings.ordering == "strict" and settings.order_by is not None:
        raise _FlawedError((*path, "order_by"), "ordering = 'strict' keeps the order of all messages: leave one out")
    if settings.backoff > settings.backoff_limit:
        raise _FlawedError((*path, "backoff"), "is longer than backoff_limit")


def _flaw(section: str, cls: type[Any]) -> str:
    """Why that class can't serve in that section; empty when it can."""
    if section == "consumers":
        if not issubclass(cls, Consumer):
            return "is not a subclass of hub.Consumer"
        verbs = [getattr(cls, verb) is not getattr(Consumer, verb) for verb in ("consume", "consume_batch", "tick")]
        return "" if any(verbs) else "has neither consume() nor consume_batch() nor tick()"
    missing = [method for method in METHODS[section] if not callable(getattr(cls, method, None))]
    return f"is not one of the {section}: it has no {missing[0]}()" if missing else ""


def _defaults(section: str, cls: type[Any]) -> dict[str, Any]:
    """What the class says where the file is silent."""
    if section != "consumers":
        return {}
    found = {name: getattr(cls, name) for name in CLASS_DEFAULTS}
    topics = found["topics"]
    found["topics"] = [topics] if isinstance(topics, str) else list(topics)
    return found
