"""One ``[section.NAME]`` table: finds its class, and checks the hub's settings and the class's own together."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hub import plugins
from hub.configuration.conflicts import conflicts
from hub.configuration.flaws import CLASS_DEFAULTS, flaws, overrides
from hub.configuration.layers import Layers
from hub.configuration.masking import shown_masked, without
from hub.configuration.problems import Fields, did_you_mean, problems_of
from hub.configuration.schema import SECTIONS, HubSettings, Part
from hub.consumer import Consumer
from hub.errors import PluginError
from hub.settings import Settings

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
Load = Callable[[str, str, Path], plugins.Plugin]


class PartReader:
    """Collects what is wrong in ``problems`` instead of stopping at the first.

    :param layers: all sources, merged.
    :param load: finds a class, as :func:`hub.plugins.load` does; a test has it already.
    """

    def __init__(self, layers: Layers, load: Load = plugins.load) -> None:
        self.problems: list[str] = []
        self._layers = layers
        self._load = load

    def read(self, section: str, name: str, table: object) -> Part | None:
        """The part, or ``None`` where something is wrong with it."""
        before = len(self.problems)
        if not NAME.fullmatch(name):
            self._say((section, name), "a name is of A-Z a-z 0-9 _ . -, 64 at most, the first not . or -")
        part = None
        if isinstance(table, dict):
            part = self._read((section, name), table)
        else:
            self._say((section, name), f"expected a table, [{section}.NAME], not {shown_masked(table)}")
        return part if len(self.problems) == before else None

    def _read(self, path: tuple[str, str], table: Mapping[str, Any]) -> Part | None:
        model, _ = SECTIONS[path[0]]
        plugin = self._plugin(path, table)
        if plugin is None:
            # Whether the other keys are settings of the class can't be told; the hub's own can be checked.
            ours = {key: value for key, value in table.items() if key in model.model_fields}
            self._validated(model, {**ours, "type": "unknown"}, path, model.model_fields)
            return None
        own: type[Settings] = getattr(plugin.cls, "Config", Settings)
        known = {**model.model_fields, **own.model_fields}
        for_it = {key: value for key, value in table.items() if key in own.model_fields}
        given = {key: value for key, value in table.items() if key not in own.model_fields}
        config = self._validated(own, for_it, path, known)
        before = len(self.problems)
        defaults = self._class_defaults(path, plugin.cls) if path[0] == "consumers" else {}
        settings = self._validated(model, defaults | given, path, known)
        if settings is None or config is None or len(self.problems) > before:
            return None
        if path[0] == "consumers":
            for key, text in conflicts(settings, plugin.cls, given):
                self._say((*path, key), text)
        return Part(path[1], plugin, settings, config)

    def _plugin(self, path: tuple[str, str], table: Mapping[str, Any]) -> plugins.Plugin | None:
        model, group = SECTIONS[path[0]]
        place, spec = (*path, "type"), table.get("type")
        if spec is None:
            self._say(place, f"must be set: {what_type(table)}")
            return None
        if not isinstance(spec, str):
            self._say(place, f"expected a text in quotes, not {shown_masked(spec)}")
            return None
        directory = self._layers.origins[place].directory
        try:
            plugin = self._load(group, spec, directory)
        except PluginError as error:
            self._say(place, str(error))
            return None
        except (Exception, SystemExit) as error:  # noqa: BLE001 - importing runs a stranger's code, which may even exit
            self._say(place, f"{spec!r} can't be imported: {type(error).__name__}: {error}")
            return None
        found = list(flaws(path[0], plugin.cls, set(model.model_fields)))
        for flaw in found:
            self._say(place, f"{spec!r} {flaw}")
        return None if found else plugin

    def _class_defaults(self, path: tuple[str, str], cls: type[Any]) -> dict[str, Any]:
        """What the class says where the file is silent, by the same rules as the file."""
        found = class_defaults(cls)
        model, _ = SECTIONS["consumers"]
        try:
            model.model_validate({"type": "unknown", **found})
        except ValidationError as error:
            place = self._layers.where((*path, "type"))
            self.problems += problems_of(
                error,
                (),
                found,
                lambda key: f"{place}: the class attribute {cls.__qualname__}.{key[0]}",
                model.model_fields,
            )
            bad = {item["loc"][0] for item in error.errors()}
            found = {key: value for key, value in found.items() if key not in bad}
        return found

    def _validated(self, model: type[Settings], table: dict[str, Any], path: tuple[str, str], known: Fields) -> Any:
        layers = self._layers
        context = {"directory": layers.directory, "directories": layers.directories(path)}
        try:
            return model.model_validate(table, context=context)
        except ValidationError as error:
            self.problems += map(_elsewhere, problems_of(error, path, table, layers.where, known))
        except Exception as error:  # noqa: BLE001 - a plugin's validator may raise anything, and must not hide the rest
            text = f"its check failed, which is a fault of the plugin: {type(error).__name__}: {error}"
            self._say(path, without(text, table, whole=False))
        return None

    def _say(self, path: tuple[str, ...], text: str) -> None:
        self.problems.append(f"{self._layers.where(path)}: {text}")


def class_defaults(cls: type[Any]) -> dict[str, Any]:
    """The attributes of a consumer's class that are settings, as one would write them in the file."""
    found = {name: getattr(cls, name) for name in CLASS_DEFAULTS}
    topics = found["topics"]
    if isinstance(topics, str):
        found["topics"] = [topics]
    elif isinstance(topics, (tuple, set, frozenset)):
        found["topics"] = list(topics)
    if topics is Consumer.topics and not (overrides(cls, "consume") or overrides(cls, "consume_batch")):
        found["topics"] = []  # one that only ticks is given no messages
    return found


def what_type(table: Iterable[str]) -> str:
    """What to write, or the word that stands in its place."""
    for key in table:
        if did_you_mean(key, ["type"]).startswith("did"):
            return f"{key!r} is unknown; did you mean 'type'?"
    return "an installed name, 'package.module:Class' or 'file.py:Class'"


def _elsewhere(problem: str) -> str:
    """Where a setting that is unknown here belongs, if the hub has it in another table."""
    head, unknown, _ = problem.partition(": unknown setting; ")
    name = head.rpartition(".")[2]
    if unknown and name in HubSettings.model_fields:
        return f"{head}: unknown setting here; it belongs in [hub]"
    return problem
