"""Loggers of the hub's parts: each line carries the name of its part."""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from typing import Any


class PartLog(logging.LoggerAdapter[logging.Logger]):
    """A logger of one part. It adds its fields to those of each call; the standard adapter (before Python 3.13)
    replaces them."""

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - the standard library's name
        """True if a line of that level is logged. ``logging.config`` disables loggers that it does not know; the hub's
        parts continue to log all the same."""
        self.logger.disabled = False
        return super().isEnabledFor(level)

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Merge the fields of both; the call's win."""
        kwargs["extra"] = {**(self.extra or {}), **(kwargs.get("extra") or {})}
        return msg, kwargs


def part_log(kind: str, name: str) -> PartLog:
    """The logger of one consumer, backend or exporter: ``hubbub.consumer.archive``, with a field of its kind."""
    return PartLog(logging.getLogger(f"hubbub.{kind}.{name}"), {kind: name})
