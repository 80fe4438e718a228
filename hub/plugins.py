"""Finds the class of a plugin by the name in ``hub.conf``."""

from __future__ import annotations

import difflib
import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from hub import files
from hub.children import other_code
from hub.entrypoints import entry_point, names
from hub.errors import ConfigError, HubError, PluginError
from hub.signals import kept
from hub.text import meant
from hub.trust import Trust


class Plugin(msgspec.Struct, frozen=True):
    """A plugin's class.

    :ivar fingerprint: differs if the same name means other code; a reload compares it.
    """

    cls: type[Any]
    fingerprint: str
    module: str = ""
    """Name of the module of a file; see :mod:`hub.files`."""

    def make(self, place: str, context: Any) -> Any:
        """Make an instance. :raises ConfigError: as the class raises it, with ``place`` before each line."""
        try:
            with other_code(), kept(place):
                return self.cls(context)
        except HubError as error:
            raise ConfigError([f"{place}: {line}" for line in str(error).splitlines()]) from error


MOVED = ("backends.", "consumers.", "monitoring.")
"""The former names of the hub's own packages."""


def load(group: str, spec: str, directory: Path) -> Plugin:
    """Find a class by entry point (``archive``), by ``package.module:Class``, or by file
    (``/etc/hubbub/consumers/thumbs.py:Thumbs``).

    :param group: the entry point group, for the first form.
    :param directory: the base of a relative file.
    :raises PluginError: no such name, or the import failed; the text says why.
    """
    with other_code(), kept(repr(spec)):
        return _load(group, spec, directory)


def _load(group: str, spec: str, directory: Path) -> Plugin:
    place, colon, attribute = spec.rpartition(":")
    if colon and place.endswith(".py"):
        if (refusal := Trust.now().refusal(directory / place)) is not None:
            raise PluginError(f"{spec!r} is not imported: {refusal}")
        path = (directory / place).resolve()
        loaded = _loaded(path)
        return Plugin(_class(loaded.module, attribute, spec), loaded.fingerprint, loaded.module.__name__)
    if colon:
        return Plugin(_class(_imported(place, spec), attribute, spec), spec)
    point = entry_point(group, spec)
    if point is None:
        raise PluginError(_unknown(group, spec))
    try:
        return Plugin(point.load(), spec)
    except PluginError:
        raise
    except Exception as error:
        raise PluginError(f"{spec!r} can't be imported: {type(error).__name__}: {error}") from error


def _unknown(group: str, spec: str) -> str:
    known = names(group)
    close = difflib.get_close_matches(spec, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(known) or 'none'}"
    return f"no {group.removeprefix('hub.').removesuffix('s')} is called {spec!r}; {hint} (or 'package.module:Class')"


def _imported(module: str, spec: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except PluginError:
        raise
    except Exception as error:
        text = f"{spec!r} can't be imported: {type(error).__name__}: {error}"
        if module.startswith(MOVED):
            text += f"; of the hub's own it is 'hub.{spec}'"
        if module.startswith("hub."):
            text += f"; 'hub' is this program's own name: name the file, '{module.replace('.', '/')}.py:Class'"
        raise PluginError(text) from error


def _loaded(path: Path) -> files.Loaded:
    try:
        return files.load(path)
    except OSError as error:
        raise PluginError(f"{path} can't be read: {error.strerror or error}") from error
    except Exception as error:
        raise PluginError(f"{path} can't be imported: {type(error).__name__}: {error}") from error


def _class(module: ModuleType, attribute: str, spec: str) -> type[Any]:
    found = getattr(module, attribute, None)
    if isinstance(found, type):
        return found
    classes = [name for name, value in vars(module).items() if isinstance(value, type)]
    raise PluginError(f"{spec!r}: the module has no class {attribute!r}{meant(attribute, classes)}")
