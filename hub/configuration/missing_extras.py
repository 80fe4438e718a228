"""Extras that the parts of a configuration need, and that are not installed."""

from __future__ import annotations

from collections.abc import Iterator

from hub.configuration.schema import Configuration
from hub.errors import MissingExtra
from hub.extra import Extra
from hub.interfaces import NeedingExtras


def missing_extras(configuration: Configuration) -> Iterator[tuple[Extra, str]]:
    """Yield each extra that is missing, and a sentence with its part and the command that installs it."""
    for section, part in configuration.all_parts():
        cls = part.plugin.cls
        if isinstance(cls, NeedingExtras):
            for extra in cls.needed_extras(part.config):
                try:
                    extra.check()
                except MissingExtra as error:
                    yield extra, f"{section}.{part.name}: {error}"
