"""A logger that marks each line with the part of the hub that it is about."""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from typing import Any


class PartLog(logging.LoggerAdapter[logging.Logger]):
    """Adds its own fields to those of each call, where the standard adapter (before Python 3.13) replaces them."""

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - the standard library's name
        """Whether such a line is logged. ``logging.config`` disables each logger that it does not know; the hub's parts
        go on telling what they do."""
        self.logger.disabled = False
        return super().isEnabledFor(level)

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """The fields of both; the call's win."""
        kwargs["extra"] = {**(self.extra or {}), **(kwargs.get("extra") or {})}
        return msg, kwargs


def part_log(kind: str, name: str) -> PartLog:
    """The logger of one consumer, backend or exporter: ``hubbub.consumer.archive``, with a field of its kind."""
    return PartLog(logging.getLogger(f"hubbub.{kind}.{name}"), {kind: name})
