"""Exposures: what a configuration leaves open to other users of the machine. A hub runs with them; ``check --strict``
fails.

A file that can't be trusted at all is refused where it is read, see :mod:`hub.trust`.
"""

from __future__ import annotations

import stat
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from hub import files
from hub.configuration.schema import Configuration, Part
from hub.secret import Secret
from hub.trust import Trust

OTHERS = 0o007


def exposures(configuration: Configuration, trust: Trust) -> list[str]:
    """A sentence for each exposure, without repeats. :param trust: the trust of the user who runs this."""
    found = [*_files(configuration, trust), *_state(configuration), *_control(configuration)]
    return list(dict.fromkeys(found))


def state_refusal(directory: Path, strict: bool = False) -> str | None:
    """The reason why no hub may keep its state in the directory: others may replace its files. ``None``: its owner's
    may."""
    try:
        owner = directory.stat().st_uid
    except OSError:
        return None
    text = Trust(owner).refusal(directory, strict=strict)
    return None if text is None else f"hub.state_dir: {text}"


def _files(configuration: Configuration, trust: Trust) -> Iterator[str]:
    if configuration.file is not None:
        beside = configuration.file.with_name(configuration.file.name + ".d")
        yield from _refusals([configuration.file, *sorted(beside.glob("*.conf"))], trust)
    yield from _refusals(files.beside(), trust)
    for section, part in configuration.all_parts():
        module = getattr(sys.modules.get(part.plugin.cls.__module__), "__file__", None)
        yield from _refusals([Path(module)] if module else [], trust)
        for key, value in _named_files(part):
            yield from (f"{section}.{part.name}.{key}: {text}" for text in _named(value, trust))


def _refusals(paths: Iterable[Path], trust: Trust) -> Iterator[str]:
    for path in paths:
        if (text := trust.refusal(path, strict=True)) is not None:
            yield text


def _named_files(part: Part) -> Iterator[tuple[str, Path | Secret]]:
    """The plugin's own settings that name a file."""
    for key in type(part.config).model_fields:
        value: Any = getattr(part.config, key)
        if isinstance(value, (Path, Secret)):
            yield key, value


def _named(value: Path | Secret, trust: Trust) -> Iterator[str]:
    if isinstance(value, Path):
        if value.is_file():
            yield from _refusals([value], trust)
        return
    kind, _, place = value.partition(":")
    if kind != "file":
        return
    path = Path(place)
    yield from _refusals([path], trust)
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return
    if mode & OTHERS:
        yield f"the secret {path} can be read by every user, mode {mode:04o}: chmod o= {path}"


def _state(configuration: Configuration) -> Iterator[str]:
    text = state_refusal(configuration.state_dir, strict=True)
    if text is not None:
        yield text


def _control(configuration: Configuration) -> Iterator[str]:
    if int(configuration.hub.control_mode, 8) & OTHERS:
        yield f"hub.control_mode: {configuration.hub.control_mode} lets every user of this machine steer the hub"
