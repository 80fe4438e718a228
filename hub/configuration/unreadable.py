"""Files that the configuration names, with a secret or something else to be read, and that can't be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel

from hub.configuration.schema import Configuration
from hub.secret import Secret

READ = "_file"
"""End of the names of settings whose file is read, and not written."""


class Unreadable(NamedTuple):
    """A file that can't be read. :ivar text: the setting, and why. :ivar sure: false: another user may be able to."""

    text: str
    sure: bool


def unreadable(configuration: Configuration) -> Iterator[Unreadable]:
    """Yield each file that can't be read. A credential is looked for only where systemd has given some."""
    for section, part in configuration.all_parts():
        for name, value in _named(part.config):
            path = value.path() if isinstance(value, Secret) else value
            fault = None if path is None else _fault(path, isinstance(value, Secret))
            if fault is not None:
                yield Unreadable(f"{section}.{part.name}.{name}: {path} {fault.text}", fault.sure)


def _named(value: Any, name: str = "") -> Iterator[tuple[str, Path | Secret]]:
    """Secrets and files in a value, however deep, with the names of their settings."""
    if isinstance(value, Secret) or (isinstance(value, Path) and name.endswith(READ)):
        yield name, value
    elif isinstance(value, BaseModel):
        for key in type(value).model_fields:
            yield from _named(getattr(value, key), f"{name}.{key}".lstrip("."))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _named(item, f"{name}.{key}")
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _named(item, name)


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(1)


def _fault(path: Path, secret: bool) -> Unreadable | None:
    try:
        begun = _beginning(path)
    except PermissionError:
        return Unreadable("can't be read by this user", sure=False)
    except OSError as error:
        return Unreadable(f"can't be read: {error.strerror}", sure=True)
    return Unreadable("is empty", sure=True) if secret and not begun else None
