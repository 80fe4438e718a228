"""Annotations of the status document's fields: the metric of a number, or the readers of a text."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Literal

from hub.status.states import Level

Kind = Literal["counter", "gauge", "flag", "histogram", "quantiles", "states"]


@dataclass(frozen=True, eq=False)
class Metric:
    """A metric: one number of the status, for every exporter. An exporter adds only its own name and wire format.

    Metrics compare by identity, so that exporters can look up their own data fast.

    :ivar kind: ``counter``: only grows. ``flag``: true or false. ``histogram``: ``bounds``, ``counts``, ``sum``.
        ``quantiles``: a number for each of ``p50``, ``p95``, ``p99``. ``states``: one of ``words``.
    :ivar unit: in UCUM, as OpenTelemetry writes it: ``s``, ``By``, ``1``, ``{message}``, ``{message}/s``.
    :ivar help: a sentence.
    :ivar column: its number among the SNMP objects, never reused. ``None``: not for SNMP.
    :ivar name: the name for exporters, where the key says too little; empty: the key.
    :ivar by: the field is a mapping from values of this label to counts.
    :ivar total: with ``by``: the key of the number that is their sum; empty: the status has none.
    :ivar title: a short name for people, such as the head of a column; empty: the key, with spaces.
    :ivar level: the level of a value above ``limit``, for programs that mark it; ``ok``: any value is all right.
    :ivar section: its section of the status, ``key``: its key there. The catalogue sets both, and ``words``.
    """

    kind: Kind
    unit: str
    help: str
    column: int | None = None
    name: str = ""
    by: str = ""
    total: str = ""
    title: str = ""
    level: Level = "ok"
    limit: float = 0.0
    section: str = ""
    key: str = ""
    words: tuple[str, ...] = ()

    @property
    def known_as(self) -> str:
        """The base of exporters' names."""
        return self.name or self.total or self.key

    @property
    def summed(self) -> bool:
        """True if an exporter without labels exports the sum; a missing value is 0."""
        return bool(self.by) and not self.total

    @property
    def is_rate(self) -> bool:
        """True for rates, which receivers that derive them from counters do not need."""
        return self.unit.endswith("/s")


class Text(Enum):
    """Readers of a text. A text without this annotation is withheld from callers without a token, because it may hold
    part of a message; words of a ``Literal`` are public."""

    PUBLIC = "public"
    ERROR = "error"
    """``OSError: no route``: only ``OSError`` is public."""
    REASON = "reason"
    """``the store is full: no space``: only the text before the colon is public."""


PublicText = Annotated[str, Text.PUBLIC]
ErrorText = Annotated[str, Text.ERROR]
ReasonText = Annotated[str, Text.REASON]
