"""Collapses repeated log lines into a few lines and a number: a fault in every message must not fill the disk."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterable

from hub.throttle import Burst, Throttle

REPEATS = 5
"""Lines of one kind shown in each ``PER`` seconds. A further line then has the number of the others."""
PER = 10.0
MOST_KINDS = 1024
"""Kinds that are remembered. Beyond it the oldest burst is reported early and evicted."""
WHOLE = frozenset({"start", "ready", "reload", "stop", "audit"})
"""Actions of the hub whose lines are always shown: a reload of a file with twelve mistakes must show twelve."""
LONGEST_KIND = 200
LONGEST_LAST = 4000
"""Characters of the last line of a burst, which is held until its number is reported; and of the names beside it."""
NAMING = ("node", "queue")
"""Fields of a line that name what it is about: a number of lines that are not shown hides none of these names."""
NAMES = "collapsed_names"
"""Attribute of the last line of a burst: the names of all."""

Kind = tuple[object, ...]
_VALUES = re.compile(r"'[^']*'|\"[^\"]*\"|(?<![0-9a-fA-F])[0-9a-fA-F]*\d[0-9a-fA-F]*")
"""Values in texts. The lookbehind scans each run of such letters once, not once from each letter."""


class Collapse(logging.Filter):
    """A logging filter that passes ``REPEATS`` lines of one kind in each ``PER`` seconds, and then one with the number
    of the others.

    Lines of one kind have the same part, level, action, exception and text, except for values in the text. Any thread.

    :param show: shows a record through this filter: the handler's ``handle``. Called without the lock.
    :param clock: monotonic seconds.
    """

    def __init__(
        self, show: Callable[[logging.LogRecord], object], clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._show = show
        self._clock = clock
        self._throttle = _throttle()
        # A finalizer may run at any moment, and log.
        self._lock = threading.RLock()

    def filter(self, record: logging.LogRecord) -> bool:
        """True if a record is shown. Numbers whose period is over are reported first."""
        if hasattr(record, "repeated"):
            return True
        now = self._clock()
        kind = None if record.levelno < logging.INFO or _whole(record) else kind_of(record)
        with self._lock:
            over = self._throttle.over(now)
            burst = None if kind is None else self._throttle.hold(kind, now)
            if burst is not None:
                burst.last = _after(burst.last, record)
        self._tell(over, now)
        return burst is None

    def flush(self, final: bool = False) -> None:
        """Report the numbers whose period is over. Call it each second, because no further record may come.

        :param final: report all numbers, at the end.
        """
        now = self._clock()
        with self._lock:
            over = self._throttle.over(now, final)
        self._tell(over, now)

    def renew(self) -> None:
        """Reset in a process that was just forked: the parent reports the numbers, and another of its threads may have
        held the lock."""
        self._lock = threading.RLock()
        self._throttle = _throttle()

    def _tell(self, over: Iterable[Burst[logging.LogRecord]], now: float) -> None:
        for burst in over:
            if (record := burst.last) is not None:
                seconds = max(1.0, min(PER, now - burst.since))
                like = f"... and {burst.held} more like it in {seconds:.0f} s{_named(record)}"
                record.msg = f"{like}, the last: {record.msg}"
                record.__dict__["repeated"] = burst.held
                self._show(record)


def _throttle() -> Throttle[logging.LogRecord]:
    """A throttle of records. The last record of a burst is held without its values, which may reference much memory."""
    return Throttle(REPEATS, PER, MOST_KINDS)


def kind_of(record: logging.LogRecord) -> Kind:
    """The kind of a line. A text formatted before the call (an f-string) is compared without its numbers and
    quotations."""
    text = _text(record)
    if not record.args:
        text = _VALUES.sub("#", text)[:LONGEST_KIND]
    parts = [_extra(record, name) for name in ("consumer", "backend", "exporter", "server")]
    error = _extra(record, "error")
    if error is None and record.exc_info and record.exc_info[0] is not None:
        error = record.exc_info[0].__name__
    return record.name, *parts, record.levelno, _extra(record, "action"), error, text


def _text(record: logging.LogRecord) -> str:
    """The text of a record. A consumer may log any object; an error in its ``str`` must not fail the message."""
    try:
        return str(record.msg)
    except Exception:  # noqa: BLE001 - see above
        return type(record.msg).__name__


def _extra(record: logging.LogRecord, name: str) -> object:
    value = getattr(record, name, None)
    return value if value is None else str(value)


def _whole(record: logging.LogRecord) -> bool:
    return record.name.startswith("hubbub.hub.") and getattr(record, "action", None) in WHOLE


def _after(last: logging.LogRecord | None, record: logging.LogRecord) -> logging.LogRecord:
    """A copy of the record to hold, with the names of the lines before it, as many as have room."""
    names: dict[str, None] = {} if last is None else last.__dict__[NAMES]
    copy = _without_values(record)
    for field in NAMING:
        name = _extra(record, field)
        if name is not None and sum(map(len, names)) < LONGEST_LAST:
            names[str(name)[:LONGEST_KIND]] = None
    copy.__dict__[NAMES] = names
    return copy


def _named(record: logging.LogRecord) -> str:
    names: dict[str, None] = record.__dict__.pop(NAMES)
    more = " and others" if sum(map(len, names)) >= LONGEST_LAST else ""
    return f" ({', '.join(names)}{more})" if len(names) > 1 else ""


def _without_values(record: logging.LogRecord) -> logging.LogRecord:
    """A copy of the record without references to values or frames."""
    copy = logging.makeLogRecord(record.__dict__)
    try:
        copy.msg = record.getMessage()[:LONGEST_LAST]
    except Exception:  # noqa: BLE001 - values that do not fit the text; logging reports such a line by itself
        copy.msg = _text(record)[:LONGEST_LAST]
    copy.args, copy.exc_info, copy.exc_text, copy.stack_info = None, None, None, None
    return copy
