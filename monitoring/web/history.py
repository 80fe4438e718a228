"""History tables in SQLite: each queue's backlog and rates, from seconds to a month, and its spikes.

As in a round-robin database, each tier has a fixed number of slots, and a new bucket of time takes the slot of the
oldest. So the size is bounded, and a clock that is wrong for a while costs only the buckets that it passes. A row holds
sums, to which new samples are added; means and rates are computed from them when they are read.

Each function runs in a transaction of its caller, with few large statements: sqlite3 releases the GIL for every row
that it returns, and busy threads are slow to give it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from sqlite3 import Connection
from typing import Any

import msgspec

from hub.monitoring.web.spikes import Spike

MOST_QUEUES = 256
"""Queues with a history; a further one replaces the one that was gone longest, or has none."""
MOST_SPIKES = 100
"""Spikes kept per queue."""
MOST_SPIKES_OF_ALL = 10_000
"""Spikes kept of all queues together, deleted ones included. A lasting spike is always kept."""
TABLES = (
    "CREATE TABLE IF NOT EXISTS queues (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, seen INTEGER)",
    """
    CREATE TABLE IF NOT EXISTS history (step INTEGER, slot INTEGER, queue INTEGER, bucket INTEGER, samples INTEGER,
        backlog INTEGER, highest INTEGER, seconds REAL, received INTEGER, settled INTEGER,
        PRIMARY KEY (step, slot, queue)) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS spikes (queue TEXT, started_at REAL, peak INTEGER, peak_at REAL, cleared_at REAL,
        PRIMARY KEY (queue, started_at)) WITHOUT ROWID
    """,
    """
    CREATE TEMP TABLE fresh (time INTEGER, name TEXT, backlog INTEGER, seconds REAL, received INTEGER,
        settled INTEGER)
    """,
)
"""Tables. An ``id`` is never reused: rows of a forgotten queue belong to nobody until their slots are overwritten."""
FIELDS = ", ".join(f"json_extract(value, '$[{number}]')" for number in range(6))
LOAD = f"INSERT INTO fresh SELECT {FIELDS} FROM json_each(?)"  # noqa: S608
SEE = """
    INSERT INTO queues (name, seen) SELECT name, max(time) FROM fresh WHERE true GROUP BY name ORDER BY min(rowid)
        ON CONFLICT (name) DO UPDATE SET seen = excluded.seen
"""
FORGET = "DELETE FROM queues WHERE seen < ? OR id NOT IN (SELECT id FROM queues ORDER BY seen DESC, id LIMIT ?)"
CLEAR_SLOTS = """
    DELETE FROM history WHERE step = :step AND slot IN (SELECT time / :step % :length FROM fresh)
        AND bucket NOT IN (SELECT time / :step FROM fresh)
"""
ADD = """
    INSERT INTO history
        SELECT :step, time / :step % :length, id, time / :step,
            count(*), sum(backlog), max(backlog), sum(seconds), sum(received), sum(settled)
        FROM fresh JOIN queues USING (name) WHERE true GROUP BY time / :step, id
        ON CONFLICT (step, slot, queue) DO UPDATE SET
            samples = samples + excluded.samples, backlog = backlog + excluded.backlog,
            highest = max(highest, excluded.highest), seconds = seconds + excluded.seconds,
            received = received + excluded.received, settled = settled + excluded.settled
"""
COLUMNS = ("backlog", "backlog_max", "rate_in", "rate_out")
VIEW = """
    WITH RECURSIVE wanted (bucket) AS (SELECT :first UNION ALL SELECT bucket + 1 FROM wanted WHERE bucket < :last)
    SELECT json_group_array(mean), json_group_array(highest), json_group_array(rate_in), json_group_array(rate_out)
    FROM (
        SELECT round(1.0 * backlog / samples, 3) AS mean, highest,
            round(received / nullif(seconds, 0), 3) AS rate_in, round(settled / nullif(seconds, 0), 3) AS rate_out
        FROM wanted LEFT JOIN history ON step = :step AND slot = wanted.bucket % :length AND queue = :queue
            AND history.bucket = wanted.bucket
        ORDER BY wanted.bucket
    )
"""
PUT_SPIKE = "INSERT OR REPLACE INTO spikes VALUES (?, ?, ?, ?, ?)"
PRUNE_SPIKES = """
    DELETE FROM spikes WHERE queue = ?1 AND started_at <=
        (SELECT started_at FROM spikes WHERE queue = ?1 ORDER BY started_at DESC LIMIT 1 OFFSET ?2)
"""
PRUNE_ALL_SPIKES = """
    DELETE FROM spikes WHERE (queue, started_at) IN
        (SELECT queue, started_at FROM spikes WHERE cleared_at IS NOT NULL ORDER BY started_at DESC LIMIT -1 OFFSET ?)
"""
READ_SPIKES = "SELECT queue, started_at, peak, peak_at, cleared_at FROM spikes"


@dataclass(frozen=True)
class Tier:
    """Resolution of the history. :param step: seconds per bucket. :param length: number of buckets."""

    step: int
    length: int

    @property
    def span(self) -> int:
        """Seconds that all buckets cover."""
        return self.step * self.length


TIERS = (Tier(1, 600), Tier(10, 2160), Tier(60, 2880), Tier(600, 4320))
"""Tiers: a second for 10 minutes, 10 seconds for 6 hours, a minute for 2 days, 10 minutes for 30 days."""

Sample = tuple[int, str, int, float, int, int]
"""Sample of a queue: epoch seconds, its name, its backlog, the seconds since the previous sample, and the messages that
were received and settled in them; 0 seconds if that is unknown."""


class Growth:
    """Growth of each queue's counters between two samples. Pure.

    Settled is received less backlog, so rates match the slope of the backlog, whatever became of the messages.
    """

    def __init__(self) -> None:
        self._before: dict[str, tuple[float, int, int]] = {}

    def samples(self, time: float, moment: float, consumers: Mapping[str, Mapping[str, Any]]) -> list[Sample]:
        """Take a sample of all queues.

        :param time: epoch seconds; may jump. :param moment: monotonic seconds. :param consumers: of the hub's status.
        """
        before, self._before = self._before, {}
        samples = []
        for name, row in consumers.items():
            backlog, received = row["backlog"], row["received"]
            settled = received - backlog
            self._before[name] = now = (moment, received, settled)
            last = before.get(name, now)
            # Counters that decreased are those of a new queue of the same name.
            grown = moment > last[0] and received >= last[1] and settled >= last[2]
            growth = (moment - last[0], received - last[1], settled - last[2]) if grown else (0.0, 0, 0)
            samples.append((int(time), name, backlog, *growth))
        return samples


def add_samples(connection: Connection, samples: Iterable[Sample], tiers: Sequence[Tier] = TIERS) -> None:
    """Add samples to all tiers, and forget queues that were gone for as long as the longest tier reaches.

    :param samples: in the order in which they were taken.
    """
    # In one round no two buckets share a slot, even if the clock jumped.
    for _, group in groupby(samples, lambda sample: sample[0] // tiers[0].span):
        rounds = list(group)
        connection.execute("DELETE FROM fresh")
        connection.execute(LOAD, (msgspec.json.encode(rounds).decode(),))
        connection.execute(SEE)
        connection.execute(FORGET, (rounds[-1][0] - tiers[-1].span, MOST_QUEUES))
        for tier in tiers:
            place = {"step": tier.step, "length": tier.length}
            connection.execute(CLEAR_SLOTS, place)
            connection.execute(ADD, place)


def names(connection: Connection) -> list[str]:
    """Names of all queues with a history."""
    return [name for (name,) in connection.execute("SELECT name FROM queues ORDER BY id")]


def view(
    connection: Connection, span: int, now: float, name: str | None = None, tiers: Sequence[Tier] = TIERS
) -> bytes | None:
    """Last ``span`` seconds before ``now`` of one queue, or of all, in the finest tier that reaches so far back.

    :param now: epoch seconds.
    :returns: a JSON document: ``step`` in seconds, ``start`` in epoch seconds, and for each of ``consumers`` its
        ``COLUMNS``, lists with ``null`` for unknown values; ``None``: no queue of that name has a history.
    """
    tier = next((tier for tier in tiers if tier.span >= span), tiers[-1])
    last = int(now) // tier.step
    first = last + 1 - max(1, min(tier.length, -(-span // tier.step)))
    bounds = {"step": tier.step, "length": tier.length, "first": first, "last": last}
    queues = connection.execute(
        "SELECT name, id FROM queues WHERE ?1 IS NULL OR name = ?1 ORDER BY id", (name,)
    ).fetchall()
    if name is not None and not queues:
        return None
    consumers = {}
    for found, queue in queues:
        columns = connection.execute(VIEW, {**bounds, "queue": queue}).fetchone()
        consumers[found] = {key: msgspec.Raw(text.encode()) for key, text in zip(COLUMNS, columns, strict=True)}
    return msgspec.json.encode({"step": tier.step, "start": first * tier.step, "consumers": consumers})


def put_spikes(connection: Connection, spikes: Iterable[tuple[str, Spike]]) -> None:
    """Store new or changed spikes, each with its queue's name, and delete the oldest."""
    rows = [(name, *msgspec.structs.astuple(spike)) for name, spike in spikes]
    if rows:
        connection.executemany(PUT_SPIKE, rows)
        connection.executemany(PRUNE_SPIKES, {(name, MOST_SPIKES) for name, *_ in rows})
        connection.execute(PRUNE_ALL_SPIKES, (MOST_SPIKES_OF_ALL,))


def spikes_of(connection: Connection, name: str) -> list[Spike]:
    """Spikes of one queue, the newest first."""
    rows = connection.execute(f"{READ_SPIKES} WHERE queue = ? ORDER BY started_at DESC", (name,))
    return [spike for _, spike in map(_spike, rows)]


def lasting_spikes(connection: Connection) -> dict[str, Spike]:
    """Lasting spikes, by queue."""
    return dict(map(_spike, connection.execute(f"{READ_SPIKES} WHERE cleared_at IS NULL ORDER BY started_at")))


def _spike(row: tuple[Any, ...]) -> tuple[str, Spike]:
    return row[0], msgspec.convert(dict(zip(Spike.__struct_fields__, row[1:], strict=True)), Spike)
