"""Declarations of settings: type, default and help, in one place.

Each setting in ``hub.conf``, of the hub or a plugin, is a field of a :class:`Settings` class.
The check, ``hubbub config --defaults`` and the settings reference are made from these declarations.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationInfo,
    model_validator,
)

from hub.secret import Secret as Secret
from hub.topics import is_pattern
from hub.units import format_duration, format_size, parse_duration, parse_path, parse_size

LONGEST = 100 * 365 * 86400.0
"""Longest duration in seconds, a century: far beyond use, and below the limits of timers and locks."""
LARGEST = 1 << 50
"""Largest size in bytes, one PiB."""


class Settings(BaseModel):
    """Settings of one table in ``hub.conf``. Subclass it as ``Config`` inside a consumer, backend or exporter.

    It is strict: an unknown key or a wrong type is an error, never coerced. It is frozen: a running part can't change
    its settings.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, validate_default=True, hide_input_in_errors=True
    )

    def contradictions(self) -> Iterator[str]:
        """Yield a text for each contradiction between settings that are valid alone. Override it; there is none here.

        A text says what to change, and quotes no secret. It is called once all settings are valid.
        """
        yield from ()

    @model_validator(mode="after")
    def _without_contradictions(self) -> Self:
        if found := list(self.contradictions()):
            raise ValueError("; ".join(found))
        return self


def setting(default: Any, help: str, *, example: Any = None, **constraints: Any) -> Any:
    """Declare one setting. :param default: ``...`` makes it required.

    :param help: one or two sentences, shown in ``hubbub config --defaults`` and in the reference.
    :param example: a value that ``--defaults`` writes for a setting that is required, or has no default.
    :param constraints: arguments of pydantic's ``Field``: ``ge=1``, ``max_length=64``, ``pattern=...``.
    """
    return Field(default, description=help, examples=None if example is None else [example], **constraints)


def _secret(value: object) -> Secret:
    if isinstance(value, str) and Secret.is_reference(value):
        return Secret(value)
    raise ValueError("a secret is not written into the configuration: give 'file:/path' or 'credential:name'")


def duration_of(value: object) -> float:
    """Parse a duration into seconds, at most :data:`LONGEST`. :raises ValueError: it is not a duration, or longer."""
    try:
        seconds = parse_duration(value)
    except OverflowError:
        seconds = float("inf")
    if seconds > LONGEST:
        raise ValueError("expected a duration of at most 100 years")
    return seconds


def size_of(value: object) -> int:
    """Parse a size into bytes, at most :data:`LARGEST`. :raises ValueError: it is not a size, or larger."""
    try:
        size = parse_size(value)
    except OverflowError:
        size = LARGEST + 1
    if size > LARGEST:
        raise ValueError("expected a size of at most 1048576GiB")
    return size


def _path(value: object, info: ValidationInfo) -> Path:
    context = info.context or {}
    return parse_path(value, context.get("directories", {}).get(info.field_name, context.get("directory", "")))


def _topics(patterns: list[str]) -> list[str]:
    for pattern in patterns:
        if not is_pattern(pattern):
            raise ValueError(f"expected topic patterns such as 'a.b.c', 'a.b.*' or 'a.#', not {pattern!r}")
    return patterns


Duration = Annotated[float, BeforeValidator(duration_of), PlainSerializer(format_duration, return_type=str)]
"""A duration in seconds; written as ``"30s"`` or as a number."""
Size = Annotated[int, BeforeValidator(size_of), PlainSerializer(format_size, return_type=str)]
"""A size in bytes; written as ``"8MiB"`` or as a number."""
FilePath = Annotated[Path, BeforeValidator(_path), PlainSerializer(str, return_type=str)]
"""A path, relative to the directory of the file that sets it (``hub.conf``, or one beside it). The validation context
gives that directory: in ``directories`` by the setting's name, else as ``directory``."""
SecretRef = Annotated[Secret, PlainValidator(_secret), PlainSerializer(str, return_type=str)]
Topics = Annotated[list[str], AfterValidator(_topics)]
"""Topic patterns, see :mod:`hub.router`."""
