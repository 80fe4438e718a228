"""What a log line looks like: for people, or for programs. The journal has its own way, see :mod:`hub.logs.journal`."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from hub.configuration.schema import LogFormat
from hub.text import printable

FIELDS = ("action", "consumer", "backend", "exporter", "server", "topic", "message_id", "attempt", "error", "repeated")
"""What a line says beside its text, from the ``extra`` of the call that made it."""
SHOWN = ("action", "topic", "message_id", "attempt")
"""Of these, what a line for people ends with, as far as its text does not say it already."""


def formatter_of(kind: LogFormat) -> logging.Formatter:
    """The formatter for ``log_format``."""
    return JsonFormatter() if kind == "json" else TextFormatter()


class TextFormatter(logging.Formatter):
    """Date and time, level, part, text, fields. Control characters become escapes: a message can forge neither a line
    nor a colour."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and a traceback below it where there is one."""
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created))
        text = record.getMessage()
        first, line_break, rest = text.partition("\n")
        fields = "".join(f" {name}={_word(value)}" for name, value in _fields(record) if _is_news(name, value, text))
        line = f"{when} {record.levelname.lower():7} {part_of(record).removeprefix('hub.')}: {visible(first)}"
        line += f" {fields}" if fields else ""
        if line_break:
            line += "\n    " + visible(rest)
        if record.exc_info:
            line += "\n    " + visible(self.formatException(record.exc_info).rstrip())
        return line


class JsonFormatter(logging.Formatter):
    """One JSON object a line, in ASCII: whatever a message contains, it stays one line and moves no cursor."""

    def format(self, record: logging.LogRecord) -> str:
        """Fields that do not apply are left out."""
        content: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "part": part_of(record),
            "message": record.getMessage(),
            **dict(_fields(record)),
            "thread": record.threadName,
        }
        if record.exc_info:
            content["exception"] = self.formatException(record.exc_info)
        return json.dumps(content, default=str).replace("\x7f", "\\u007f")


def part_of(record: logging.LogRecord) -> str:
    """Such as ``consumer.archive`` or ``hub.service``; what ``log_levels`` calls it."""
    return record.name.removeprefix("hubbub.")


def visible(text: str) -> str:
    """Line breaks stay, indented; all other control characters become escapes."""
    return "\n    ".join(printable(line) for line in text.split("\n"))


def _fields(record: logging.LogRecord) -> Iterator[tuple[str, object]]:
    for name in FIELDS:
        if (value := getattr(record, name, None)) is not None:
            yield name, value if isinstance(value, (int, float)) else str(value)


def _is_news(name: str, value: object, text: str) -> bool:
    return name in SHOWN and (name in ("action", "attempt") or str(value) not in text)


def _word(value: object) -> str:
    text = printable(str(value))
    return text if text and not set(text) & {" ", '"', "="} else json.dumps(text, ensure_ascii=False)
