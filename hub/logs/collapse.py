"""Many log lines of one kind become a few and a number: what fails on every message must not fill the disk."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

REPEATS = 5
"""Lines of one kind that are shown in each ``PER`` seconds. One more says how many were not, once these are over."""
PER = 10.0
MOST_KINDS = 1024
"""Kinds that are remembered; beyond it the one that began first is told of early, and forgotten."""
WHOLE = frozenset({"start", "ready", "reload", "stop", "audit"})
"""Actions of the hub's own that are always shown: who reloads a file with twelve mistakes wants to see twelve."""
LONGEST_KIND = 200
LONGEST_LAST = 4000
"""Characters of the last line of a kind, which is held until it is told of."""

Kind = tuple[object, ...]
_VALUES = re.compile(r"'[^']*'|\"[^\"]*\"|(?<![0-9a-fA-F])[0-9a-fA-F]*\d[0-9a-fA-F]*")
"""The lookbehind has each run of such letters looked at once, not once from each of them."""


@dataclass(slots=True)
class _Burst:
    since: float
    count: int = 0
    last: logging.LogRecord | None = None
    """Of those that were not shown; without its values, which may hold on to much."""


class Collapse(logging.Filter):
    """Lets ``REPEATS`` lines of one kind through in each ``PER`` seconds; then one that says how many more there were.

    Of one kind are lines of one part with the same level, action, exception and text, where only the values in the text
    differ. Any thread.

    :param show: shows a record, by way of this filter: the handler's ``handle``. Called without the lock.
    :param clock: monotonic seconds.
    """

    def __init__(
        self, show: Callable[[logging.LogRecord], object], clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._show = show
        self._clock = clock
        self._bursts: OrderedDict[Kind, _Burst] = OrderedDict()
        # A finalizer may run at any moment, and log.
        self._lock = threading.RLock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is shown. What is over by now is told first."""
        if hasattr(record, "repeated"):
            return True
        now = self._clock()
        kind = None if record.levelno < logging.INFO or _whole(record) else kind_of(record)
        with self._lock:
            over = self._over(now)
            shown = kind is None or self._counted(kind, record, now, over)
        self._tell(over, now)
        return shown

    def flush(self, final: bool = False) -> None:
        """Tell of bursts that are over: to be called each second, for there may be no further record.

        :param final: of those that are not over, too: it is the end.
        """
        now = self._clock()
        with self._lock:
            over = self._over(now + PER if final else now)
        self._tell(over, now)

    def renew(self) -> None:
        """In a process that was just forked: what was counted is the parent's to tell, and another of its threads may
        have had the lock."""
        self._lock = threading.RLock()
        self._bursts = OrderedDict()

    def _over(self, now: float) -> list[_Burst]:
        """They are in the order in which they began."""
        over: list[_Burst] = []
        while self._bursts and next(iter(self._bursts.values())).since + PER <= now:
            over.append(self._bursts.popitem(last=False)[1])
        return over

    def _counted(self, kind: Kind, record: logging.LogRecord, now: float, over: list[_Burst]) -> bool:
        burst = self._bursts.get(kind)
        if burst is None:
            if len(self._bursts) >= MOST_KINDS:
                over.append(self._bursts.popitem(last=False)[1])
            burst = self._bursts[kind] = _Burst(now)
        burst.count += 1
        if burst.count <= REPEATS:
            return True
        burst.last = _without_values(record)
        return False

    def _tell(self, over: list[_Burst], now: float) -> None:
        for burst in over:
            if (record := burst.last) is not None:
                more, seconds = burst.count - REPEATS, max(1.0, min(PER, now - burst.since))
                record.msg = f"... and {more} more like it in {seconds:.0f} s, the last: {record.msg}"
                record.__dict__["repeated"] = more
                self._show(record)


def kind_of(record: logging.LogRecord) -> Kind:
    """What lines must have in common to be of one kind. A text that was made before the call (an f-string) is compared
    without its numbers and quotations."""
    text = _text(record)
    if not record.args:
        text = _VALUES.sub("#", text)[:LONGEST_KIND]
    parts = [_extra(record, name) for name in ("consumer", "backend", "exporter", "server")]
    error = _extra(record, "error")
    if error is None and record.exc_info and record.exc_info[0] is not None:
        error = record.exc_info[0].__name__
    return record.name, *parts, record.levelno, _extra(record, "action"), error, text


def _text(record: logging.LogRecord) -> str:
    """A consumer may log whatever it has; what can't say what it is must not fail the message in hand."""
    try:
        return str(record.msg)
    except Exception:  # noqa: BLE001 - see above
        return type(record.msg).__name__


def _extra(record: logging.LogRecord, name: str) -> object:
    value = getattr(record, name, None)
    return value if value is None else str(value)


def _whole(record: logging.LogRecord) -> bool:
    return record.name.startswith("hubbub.hub.") and getattr(record, "action", None) in WHOLE


def _without_values(record: logging.LogRecord) -> logging.LogRecord:
    """A copy that holds on to neither values nor frames."""
    copy = logging.makeLogRecord(record.__dict__)
    try:
        copy.msg = record.getMessage()[:LONGEST_LAST]
    except Exception:  # noqa: BLE001 - a call with the wrong values; logging shows such a line as an error of its own
        copy.msg = _text(record)[:LONGEST_LAST]
    copy.args, copy.exc_info, copy.exc_text, copy.stack_info = None, None, None, None
    return copy
