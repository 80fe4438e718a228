"""Reads a ``[section.NAME]`` table: finds its class, and checks the hub's settings and the class's own together."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hub import plugins
from hub.configuration.layers import Layers
from hub.configuration.masking import shown_masked, without
from hub.configuration.problems import Fields, did_you_mean, problems_of
from hub.configuration.schema import HubSettings, Part
from hub.configuration.section import Section
from hub.configuration.sections import SECTIONS
from hub.errors import PluginError
from hub.secret import Secret
from hub.settings import Settings

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
Load = Callable[[str, str, Path], plugins.Plugin]


class PartReader:
    """Reader of tables. It collects all ``problems`` instead of stopping at the first.

    :param layers: all sources, merged.
    :param load: finds a class, as :func:`hub.plugins.load` does; tests pass their own.
    """

    def __init__(self, layers: Layers, load: Load = plugins.load) -> None:
        self.problems: list[str] = []
        self._layers = layers
        self._load = load

    def read(self, section: str, name: str, table: object) -> Part | None:
        """Read a part; ``None``: it has problems."""
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
        section = SECTIONS[path[0]]
        model = section.settings
        plugin = self._plugin(section, path, table)
        if plugin is None:
            # Without the class its settings are not known; only the hub's own can be checked.
            ours = {key: value for key, value in table.items() if key in model.model_fields}
            self._validated(model, {**ours, "type": "unknown"}, path, model.model_fields)
            return None
        own: type[Settings] = getattr(plugin.cls, "Config", Settings)
        known = {**model.model_fields, **own.model_fields}
        for_it = {key: value for key, value in table.items() if key in own.model_fields}
        given = {key: value for key, value in table.items() if key not in own.model_fields}
        config = self._validated(own, for_it, path, known)
        before = len(self.problems)
        defaults = self._class_defaults(section, path, plugin.cls, config)
        settings = self._validated(model, defaults | given, path, known)
        if settings is None or config is None or len(self.problems) > before:
            return None
        for key, text in section.conflicts(settings, plugin.cls, given):
            self._say((*path, key), text)
        secrets = {name: value.state() for name, value in vars(config).items() if isinstance(value, Secret)}
        return Part(path[1], plugin, settings, config, secrets)

    def _plugin(self, section: Section, path: tuple[str, str], table: Mapping[str, Any]) -> plugins.Plugin | None:
        place, spec = (*path, "type"), table.get("type")
        directory = self._layers.directory
        if spec is None and not section.settings.model_fields["type"].is_required():
            spec = section.settings.model_fields["type"].default
        elif spec is not None:
            directory = self._layers.origins[place].directory
        if spec is None:
            self._say(place, f"must be set: {what_type(table)}")
            return None
        if not isinstance(spec, str):
            self._say(place, f"expected a text in quotes, not {shown_masked(spec)}")
            return None
        try:
            plugin = self._load(section.group, spec, directory)
        except PluginError as error:
            self._say(place, str(error))
            return None
        except (Exception, SystemExit) as error:  # noqa: BLE001 - importing runs a plugin's code, which may even exit
            self._say(place, f"{spec!r} can't be imported: {type(error).__name__}: {error}")
            return None
        found = list(section.flaws(plugin.cls))
        for flaw in found:
            self._say(place, f"{spec!r} {flaw}")
        return None if found else plugin

    def _class_defaults(self, section: Section, path: tuple[str, str], cls: type[Any], config: Any) -> dict[str, Any]:
        """Settings that the class defines and the file does not, checked like those of the file.

        :param config: the class's own settings; ``None``: they are invalid.
        """
        model = section.settings
        try:
            found = section.class_defaults(cls, config)
        except Exception as error:  # noqa: BLE001 - a plugin's code may raise anything
            self._say((*path, "type"), f"{cls.__qualname__}.topics_of() failed: {type(error).__name__}: {error}")
            return {}
        try:
            model.model_validate({"type": "unknown", **found})
        except ValidationError as error:
            place = self._layers.where((*path, "type"))
            # Of the class's own alone: what must be set, the file may set.
            self.problems += problems_of(
                error,
                (),
                found,
                lambda key: f"{place}: the class attribute {cls.__qualname__}.{key[0]}",
                model.model_fields,
                only=found,
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


def what_type(table: Iterable[str]) -> str:
    """A hint what to write as ``type``, or which misspelt key stands for it."""
    for key in table:
        if did_you_mean(key, ["type"]).startswith("did"):
            return f"{key!r} is unknown; did you mean 'type'?"
    return "an installed name, 'package.module:Class' or 'file.py:Class'"


def _elsewhere(problem: str) -> str:
    """The problem, or for a setting of another table, the table where it belongs."""
    head, unknown, _ = problem.partition(": unknown setting; ")
    name = head.rpartition(".")[2]
    if unknown and name in HubSettings.model_fields:
        return f"{head}: unknown setting here; it belongs in [hub]"
    return problem
