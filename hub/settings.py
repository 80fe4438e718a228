"""How a setting is declared: once, with its type, its default and its help.

Everything that can be set in ``hub.conf`` is a field of a :class:`Settings` class, the hub's own and every plugin's.
The check, ``hubbub config --defaults`` and the settings reference are made from these declarations.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationInfo,
)

from hub.errors import ConfigError
from hub.units import format_duration, format_size, parse_duration, parse_size


class Settings(BaseModel):
    """One table of ``hub.conf``. Subclass it as ``Config`` inside a consumer, backend or exporter.

    Strict: an unknown key or a wrong type is an error, never coerced; frozen: a running part can't change its settings.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_default=True)


def setting(default: Any, help: str, **constraints: Any) -> Any:
    """Declare one setting. ``default`` may be ``...`` for one that must be given.

    :param help: one or two sentences, shown in ``hubbub config --defaults`` and in the reference.
    :param constraints: what pydantic's ``Field`` takes: ``ge=1``, ``max_length=64``, ``pattern=...``.
    """
    return Field(default, description=help, **constraints)


class Secret(str):
    """Where a secret is to be read: ``file:/path`` or ``credential:name`` (systemd's). Never the secret itself,
    so it may be shown, logged and compared."""

    def read(self) -> str:
        """The secret, without the newline at its end.

        :raises ConfigError: it can't be read. Met where the part that needs it starts.
        """
        kind, _, place = self.partition(":")
        if kind == "credential":
            directory = os.environ.get("CREDENTIALS_DIRECTORY")
            if not directory:
                raise ConfigError([f"{self}: systemd gave this process no credentials ($CREDENTIALS_DIRECTORY)"])
            place = str(Path(directory) / place)
        try:
            return Path(place).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError([f"{self}: the secret can't be read: {error}"]) from error


def _secret(value: object) -> Secret:
    if isinstance(value, str):
        kind, _, place = value.partition(":")
        if (kind == "file" and place.startswith("/")) or (kind == "credential" and place and "/" not in place):
            return Secret(value)
    raise ValueError("a secret is not written into the configuration: give 'file:/path' or 'credential:name'")


def _path(value: object, info: ValidationInfo) -> Path:
    if isinstance(value, str) and value and "\0" not in value:
        return Path((info.context or {}).get("directory", ""), value)
    if isinstance(value, Path):
        return value
    raise ValueError(f"expected a path, not {value!r}")


def _topics(patterns: list[str]) -> list[str]:
    for pattern in patterns:
        if not pattern or any(character.isspace() or not character.isprintable() for character in pattern):
            raise ValueError(f"expected topic patterns such as 'a.b.c', 'a.b.*' or 'a.#', not {pattern!r}")
    return patterns


Duration = Annotated[float, BeforeValidator(parse_duration), PlainSerializer(format_duration, return_type=str)]
"""Seconds; written as ``"30s"`` or as a number."""
Size = Annotated[int, BeforeValidator(parse_size), PlainSerializer(format_size, return_type=str)]
"""Bytes; written as ``"8MiB"`` or as a number."""
FilePath = Annotated[Path, BeforeValidator(_path), PlainSerializer(str, return_type=str)]
"""A path; a relative one is taken from the directory of ``hub.conf``."""
SecretRef = Annotated[Secret, PlainValidator(_secret), PlainSerializer(str, return_type=str)]
Topics = Annotated[list[str], AfterValidator(_topics)]
"""Topic patterns, see :mod:`hub.router`."""
