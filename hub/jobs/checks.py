"""Checks what is inserted, and how jobs end. Errors name the queue, and what is wrong with which value. Pure."""

from __future__ import annotations

import json
import traceback
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypedDict, Unpack

from msgspec.structs import replace

from hub.jobs.errors import BadJob
from hub.jobs.job import (
    DEFAULT_PRIORITY,
    DEFAULT_RETRIES,
    HIGHEST_PRIORITY,
    LOWEST_PRIORITY,
    ClaimLimits,
    Coalescing,
    Conflict,
    JobState,
    NewJob,
    Unique,
)
from hub.jobs.trace import trace_text
from hub.text import meant
from hub.units import parse_duration

LONGEST_NAME = 200
"""Characters of a queue's name or a tag."""
LONGEST_KEY = 500
"""Characters of a key."""
LARGEST_PLACE = 2600
"""Bytes in UTF-8 of a queue's name and a key or lock together. They share an entry of PostgreSQL's B-tree, which has
2704 bytes with what else is in it."""
LARGEST_RESULT = 16 << 10
"""Bytes of a result, of a job or a step."""
MOST_TAGS = 20
MOST_RETRIES = 1_000_000
LONGEST_ERROR = 4000
"""Characters of an error that are kept: the end of a traceback says most."""
LARGEST = 2**63 - 1
"""What fits into the databases' whole numbers."""
LONGEST_DELAY = 10 * 366 * 86400.0
"""Seconds: ten years."""
LAST_MOMENT = datetime(3000, 1, 1, tzinfo=UTC)
"""Until when a job may be put off by a moment: one that any program and database can show in any zone."""
_WAITS = frozenset({JobState.WAITING, JobState.DELAYED})
_RUNS = _WAITS | {JobState.RUNNING}
MASKS = {
    _WAITS: Unique.WAITING,
    _RUNS: Unique.UNFINISHED,
    _RUNS | {JobState.FINISHED}: Unique.KEPT,
    _RUNS | {JobState.DEAD}: Unique.UNFINISHED_OR_DEAD,
    _RUNS | {JobState.FINISHED, JobState.DEAD}: Unique.KEPT_OR_DEAD,
}
"""States in which a key may be held. It is never taken again once it was let go, so they follow each other."""
RATES = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
FASTEST = 1e9
"""Claims per second."""
When = float | str | timedelta | datetime | None


class JobOptions(TypedDict, total=False):
    """What may be said of jobs that are inserted, beside the queue, the body and the key. docs/jobs.rst explains each.

    :ivar unique: how long a job holds its key, or the states in which it does. :ivar conflict: what becomes of a job
        whose key is held. :ivar max_wait: how long a debounced job is put off at most.
    :ivar run_after: a delay, or a moment with a zone. :ivar coalesce: to be claimed by it, together with others.
    :ivar lock: no two jobs of the queue that have the same run at a time, unless ``set_limits`` says so.
    :ivar trace: headers ``traceparent`` and ``tracestate`` of what it is for.
    """

    unique: Unique | str | Iterable[JobState | str]
    conflict: Conflict | str
    max_wait: float | str | timedelta
    run_after: When
    priority: int
    max_retries: int
    tags: Iterable[str]
    coalesce: str | None
    lock: str | None
    trace: Mapping[str, object]


def template(queue: str, queues: Collection[str] | None, **options: Unpack[JobOptions]) -> NewJob:
    """Check all that the jobs of a batch share; :func:`filled` gives each its body and key.

    :param queues: those that there are; ``None``: any.
    :raises BadJob: one of them can't be used.
    """
    name = queue_name(queue)
    if queues is not None and name not in queues:
        raise BadJob(f"there is no queue {name!r}{meant(name, queues)}")
    try:
        _check_names(options)
        delay, due = _when(options.get("run_after"))
        conflict = _one_of(Conflict, options.get("conflict", Conflict.KEEP), "conflict")
        usual = Unique.WAITING if conflict is Conflict.DEBOUNCE else Unique.UNFINISHED
        return NewJob(
            queue=name,
            body=b"",
            priority=_whole(options.get("priority", DEFAULT_PRIORITY), "priority", LOWEST_PRIORITY, HIGHEST_PRIORITY),
            max_retries=_whole(options.get("max_retries", DEFAULT_RETRIES), "max_retries", 0, MOST_RETRIES),
            delay=delay,
            due=due,
            unique=_unique(options.get("unique", usual)),
            conflict=conflict,
            max_wait=_max_wait(conflict, delay, options.get("max_wait")),
            tags=_tags(options.get("tags", ())),
            coalesce=_optional(options.get("coalesce"), "coalesce"),
            lock=_within(name, options.get("lock"), "a lock"),
            traced=_trace(options.get("trace", {})),
        )
    except BadJob as error:
        raise BadJob(f"queue {name!r}: {error}") from error


def _check_names(options: Collection[str]) -> None:
    """:raises BadJob: there is no option of a name."""
    for name in options:
        if name not in JobOptions.__annotations__:
            raise BadJob(f"there is no option {name!r}{meant(name, JobOptions.__annotations__)}")


def queue_limits(per_lock: object, rate: object, burst: object) -> ClaimLimits:
    """Check limits of a queue. :raises BadJob: one of them can't be used."""
    most = _whole(per_lock, "per_lock", 1, MOST_RETRIES)
    if rate is None:
        if burst is not None:
            raise BadJob("burst is for a queue with a rate")
        return ClaimLimits(most)
    speed = _rate(rate)
    room = max(1.0, speed) if burst is None else float(_whole(burst, "burst", 1, MOST_RETRIES))
    return ClaimLimits(most, speed, room)


def _rate(value: object) -> float:
    """Claims per second, of a number or of such as ``100/m``."""
    number, unit = value.split("/", 1) if isinstance(value, str) and "/" in value else (value, "s")
    try:
        speed = float(number) / RATES[unit]  # type: ignore[arg-type]
    except (TypeError, ValueError, KeyError):
        speed = 0.0
    if isinstance(value, bool) or not 0 < speed < FASTEST:
        raise BadJob(f"rate is a number of jobs per second, or such as '100/m', per s, m, h or d, not {value!r}")
    return speed


def check_key(queue: str, keys: object, options: JobOptions) -> None:
    """Pass options that speak of keys only with keys. :raises BadJob: without them they would say nothing."""
    usual = {"unique": Unique.UNFINISHED, "conflict": Conflict.KEEP, "max_wait": None}
    lost = [name for name, value in usual.items() if options.get(name, value) != value]
    if keys is None and lost:
        raise BadJob(f"queue {queue!r}: {', '.join(lost)} without a key: no job would ever be unique")


def filled(shared: NewJob, body: object, key: str | None, max_body: int) -> NewJob:
    """Job of a batch. :param max_body: bytes. :raises BadJob: the body or the key can't be used."""
    try:
        return replace(shared, body=encoded(body, max_body), key=_within(shared.queue, key, "a key"))
    except BadJob as error:
        raise BadJob(f"queue {shared.queue!r}: {error}") from error


def encoded(body: object, max_body: int) -> bytes:
    """Bytes of a body: as they are, or as JSON.

    :raises BadJob: it can't be encoded, or is larger than ``max_body``.
    """
    if isinstance(body, (bytes, bytearray, memoryview)):
        raw = bytes(body)
    else:
        try:
            raw = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
        except (TypeError, ValueError, RecursionError) as error:
            raise BadJob(f"the body can't be encoded as JSON: {error}") from error
    if len(raw) > max_body:
        raise BadJob(f"the body has {len(raw)} bytes, more than {max_body}")
    return raw


def result_text(value: object, what: str) -> str:
    """JSON of a result. :raises BadJob: it can't be encoded, or is larger than ``LARGEST_RESULT``."""
    try:
        text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise BadJob(f"{what} can't be encoded as JSON: {error}") from error
    if len(text) > LARGEST_RESULT:
        raise BadJob(f"{what} has {len(text)} bytes, more than {LARGEST_RESULT}")
    return text


def progress_text(fraction: object, text: object) -> str:
    """JSON of a progress. :raises BadJob: it is not from 0 to 1, or the text can't be used."""
    number = fraction if isinstance(fraction, (int, float)) and not isinstance(fraction, bool) else -1.0
    if not 0 <= number <= 1:
        raise BadJob(f"progress is a number from 0 to 1, not {fraction!r}")
    said = _name(text, "the text of progress", LONGEST_KEY) if text else ""
    return json.dumps([float(number), said])


def queue_name(name: object) -> str:
    """Pass the name of a queue. :raises BadJob: no queue has such a name."""
    return _name(name, "a queue's name", LONGEST_NAME)


def tag_names(tags: Iterable[str]) -> list[str]:
    """Pass tags to find jobs by. :raises BadJob: no job has such a tag."""
    return list(_tags(tags))


def at_most(limit: object) -> int:
    """Pass a number of jobs that an order or a look takes at most. :raises ValueError: it is none."""
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 0:
        raise ValueError(f"expected a limit of 0 or more, not {limit!r}")
    return min(limit, LARGEST)


def step_name(name: object) -> str:
    """Pass the name of a step. :raises BadJob: it can't be used."""
    return _name(name, "a step's name", LONGEST_NAME)


def _name(value: object, what: str, longest: int) -> str:
    if not isinstance(value, str) or not value:
        raise BadJob(f"{what} is a text that is not empty, not {value!r}")
    if len(value) > longest:
        raise BadJob(f"{what} has {len(value)} characters, more than {longest}: {value[:40]!r}...")
    if not value.isprintable():  # half a surrogate pair and NUL are not, either
        raise BadJob(f"{what} has a character that can't be printed: {value!r}")
    return value


def _optional(value: object, what: str) -> str | None:
    return None if value is None else _name(value, what, LONGEST_KEY)


def _within(queue: str, value: object, what: str) -> str | None:
    """A text that is looked up with the name of its queue."""
    name = _optional(value, what)
    if name is not None and (size := len(queue.encode()) + len(name.encode())) > LARGEST_PLACE:
        raise BadJob(
            f"{what} and the queue's name have {size} bytes in UTF-8, more than {LARGEST_PLACE}: {name[:40]!r}..."
        )
    return name


def coalescing(value: object, prefix: object) -> Coalescing | None:
    """Which jobs are to be claimed together, if it is said. :raises BadJob: the value or the prefix can't be used."""
    if value is not None and prefix is not None:
        raise BadJob("coalesce and coalesce_prefix can't be given both")
    whole, begin = _optional(value, "coalesce"), _optional(prefix, "coalesce_prefix")
    return Coalescing(whole) if whole is not None else None if begin is None else Coalescing(begin, prefix=True)


def _whole(value: object, what: str, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise BadJob(f"{what} is a whole number from {least} to {most}, not {value!r}")
    return value


def _one_of(kind: Any, value: object, what: str) -> Any:
    try:
        return kind(value)
    except ValueError:
        raise BadJob(f"{what} is one of {', '.join(kind)}, not {value!r}") from None


def _unique(value: object) -> Unique:
    """How long a key is held, by name or by the states of the job."""
    if isinstance(value, (str, Unique)) or not isinstance(value, Iterable):
        chosen: Unique = _one_of(Unique, value, "unique")
        return chosen
    states = frozenset(_one_of(JobState, state, "a state of unique") for state in value)
    if states not in MASKS:
        named = ", ".join(sorted(states)) or "none"
        raise BadJob(
            "unique is the states waiting and delayed; and running, if you like; and then finished, dead or both; not"
            f" {named}"
        )
    return MASKS[states]


def _max_wait(conflict: Conflict, delay: float, value: object) -> float:
    """Seconds that a debounced job is put off at most."""
    if conflict is not Conflict.DEBOUNCE:
        if value is not None:
            raise BadJob("max_wait is for conflict='debounce' alone")
        return 0.0
    if value is None or not delay:
        raise BadJob("conflict='debounce' needs run_after, a delay that begins anew with each, and max_wait")
    longest = _delay(value, "max_wait")
    if longest < delay:
        raise BadJob(f"max_wait is shorter than run_after: {value!r}")
    return longest


def _tags(values: Iterable[str]) -> tuple[str, ...]:
    if isinstance(values, str):
        raise BadJob(f"tags are a list of texts, not {values!r}")
    tags = tuple(dict.fromkeys(_name(value, "a tag", LONGEST_NAME) for value in values))
    if len(tags) > MOST_TAGS:
        raise BadJob(f"it has {len(tags)} tags, more than {MOST_TAGS}")
    return tags


def _trace(headers: object) -> str | None:
    if not isinstance(headers, Mapping):
        raise BadJob(f"trace is a dictionary of headers, such as traceparent, not {headers!r}")
    return trace_text(headers)


def _when(value: object) -> tuple[float, float | None]:
    """A delay, or a moment."""
    if value is None:
        return 0.0, None
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise BadJob(f"run_after has no zone: {value.isoformat()}")
        if value >= LAST_MOMENT:
            raise BadJob(f"run_after is not before the year {LAST_MOMENT.year}: {value.isoformat()}")
        return 0.0, max(0.0, value.timestamp())
    return _delay(value, "run_after"), None


def _delay(value: object, what: str) -> float:
    try:
        delay = parse_duration(value)
    except ValueError as error:
        raise BadJob(f"{what}: {error}") from error
    if delay > LONGEST_DELAY:
        raise BadJob(f"{what} is more than ten years: {value!r}")
    return delay


def error_text(error: BaseException | str) -> str:
    """Text of an error for the log, bounded, without characters that a database does not take."""
    text = error if isinstance(error, str) else "".join(traceback.format_exception(error)).rstrip()
    return storable(text)[-LONGEST_ERROR:] or "no reason was given"


def storable(text: str) -> str:
    """A text without characters that a database does not take."""
    return text.replace("\0", "\\0").encode(errors="backslashreplace").decode()
