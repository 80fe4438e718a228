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

LONGEST = 100 * 365 * 86400.0
"""Seconds; a century: far beyond use, and below what timers and locks can be told to wait."""
LARGEST = 1 << 50
"""Bytes; a PiB."""


class Settings(BaseModel):
    """One table of ``hub.conf``. Subclass it as ``Config`` inside a consumer, backend or exporter.

    Strict: an unknown key or a wrong type is an error, never coerced; frozen: a running part can't change its settings.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, validate_default=True, hide_input_in_errors=True
    )


def setting(default: Any, help: str, *, example: Any = None, **constraints: Any) -> Any:
    """Declare one setting. ``default`` may be ``...`` for one that must be given.

    :param help: one or two sentences, shown in ``hubbub config --defaults`` and in the reference.
    :param example: what ``--defaults`` writes for a setting that must be given, or has no default.
    :param constraints: what pydantic's ``Field`` takes: ``ge=1``, ``max_length=64``, ``pattern=...``.
    """
    return Field(default, description=help, examples=None if example is None else [example], **constraints)


class Secret(str):
    """Where a secret is to be read: ``file:/path`` or ``credential:name`` (systemd's). Never the secret itself,
    so it may be shown, logged and compared."""

    @staticmethod
    def is_reference(value: object) -> bool:
        """Whether it says where a secret is, and so is none itself."""
        if not isinstance(value, str):
            return False
        kind, _, place = value.partition(":")
        return (kind == "file" and place.startswith("/")) or (kind == "credential" and bool(place) and "/" not in place)

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
    if isinstance(value, str) and Secret.is_reference(value):
        return Secret(value)
    raise ValueError("a secret is not written into the configuration: give 'file:/path' or 'credential:name'")


def duration_of(value: object) -> float:
    """Seconds, at most :data:`LONGEST`. :raises ValueError: it is no duration, or longer."""
    try:
        seconds = parse_duration(value)
    except OverflowError:
        seconds = float("inf")
    if seconds > LONGEST:
        raise ValueError("expected a duration of at most 100 years")
    return seconds


def size_of(value: object) -> int:
    """Bytes, at most :data:`LARGEST`. :raises ValueError: it is no size, or larger."""
    try:
        size = parse_size(value)
    except OverflowError:
        size = LARGEST + 1
    if size > LARGEST:
        raise ValueError("expected a size of at most 1048576GiB")
    return size


def _path(value: object, info: ValidationInfo) -> Path:
    if isinstance(value, Path):
        return value
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError(f"expected a path, not {value!r}")
    if value.startswith("~"):
        raise ValueError(f"expected a path from / or from this file's directory: '~' is nobody's home here: {value!r}")
    context = info.context or {}
    return Path(context.get("directories", {}).get(info.field_name, context.get("directory", "")), value)


def _topics(patterns: list[str]) -> list[str]:
    for pattern in patterns:
        if not pattern or any(character.isspace() or not character.isprintable() for character in pattern):
            raise ValueError(f"expected topic patterns such as 'a.b.c', 'a.b.*' or 'a.#', not {pattern!r}")
    return patterns


Duration = Annotated[float, BeforeValidator(duration_of), PlainSerializer(format_duration, return_type=str)]
"""Seconds; written as ``"30s"`` or as a number."""
Size = Annotated[int, BeforeValidator(size_of), PlainSerializer(format_size, return_type=str)]
"""Bytes; written as ``"8MiB"`` or as a number."""
FilePath = Annotated[Path, BeforeValidator(_path), PlainSerializer(str, return_type=str)]
"""A path; a relative one is taken from the directory of the file it stands in (``hub.conf``, or one beside it). The
context of the validation says which: ``directories`` by the setting's name, else ``directory``."""
SecretRef = Annotated[Secret, PlainValidator(_secret), PlainSerializer(str, return_type=str)]
Topics = Annotated[list[str], AfterValidator(_topics)]
"""Topic patterns, see :mod:`hub.router`."""
