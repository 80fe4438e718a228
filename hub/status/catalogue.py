"""The catalogue of all numbers of the status, made from its types, and the iterator over those of a document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any, Literal, NamedTuple, NotRequired, get_args, get_origin, get_type_hints

from hub.status.clusters import ClusterQueueStatus, ClusterStatus, NodeStatus
from hub.status.consumers import ConsumerStatus
from hub.status.document import Status
from hub.status.hub import HubRow, StoreStatus
from hub.status.metric import Metric
from hub.status.parts import BackendStatus, ExporterStatus, JobDatabaseStatus, ServerStatus
from hub.status.rows import stable


@dataclass(frozen=True, eq=False)
class StatusSection:
    """A section of the status: the rows of one type.

    :ivar label: kind of the rows' names, such as ``consumer``; empty: the section is a single row.
    :ivar within: the section whose rows each have such a section. Names of rows are ``OUTER/INNER`` then.
    """

    name: str
    label: str
    row: type
    metrics: tuple[Metric, ...]
    within: str = ""

    def rows(self, status: Status) -> Mapping[str, Mapping[str, Any]]:
        """The rows of a status that are exported, by name; the name is empty for the hub and the store."""
        if self.within:
            outer = status.get(self.within) or {}
            return {
                f"{one}/{name}": row
                for one, whole in outer.items()
                for name, row in (whole.get(self.name) or {}).items()
            }
        if self.label:
            return stable(status.get(self.name) or {})
        hub = status.get("hub") or {}
        return {"": hub if self.name == "hub" else hub.get(self.name) or {}}


class Reading(NamedTuple):
    """The value of one metric in one row.

    :ivar value: a mapping if the metric has several numbers; ``None``: not known.
    """

    metric: Metric
    row: str
    value: Any


def exported(status: Status) -> Status:
    """A status without the rows that are not exported."""
    return {**status, "consumers": stable(status.get("consumers") or {})}


def section(name: str, label: str, row: type, within: str = "") -> StatusSection:
    """Make the section of a type of rows, with its metrics in the order of their declaration."""
    # The modules of our own rows have annotations that are types: texts would be compiled here, one by one.
    hints = get_type_hints(row, include_extras=True)
    return StatusSection(name, label, row, tuple(_declared(name, hints)), within)


def _declared(section_name: str, hints: Mapping[str, Any]) -> Iterator[Metric]:
    for key, hint in hints.items():
        inner = get_args(hint)[0] if get_origin(hint) is NotRequired else hint
        if get_origin(inner) is Annotated:
            kind, *annotations = get_args(inner)
            words = get_args(kind) if get_origin(kind) is Literal else ()
            for metric in annotations:
                if isinstance(metric, Metric):
                    title = metric.title or key.replace("_", " ")
                    yield replace(metric, section=section_name, key=key, words=words, title=title)


CATALOGUE = (
    section("hub", "", HubRow),
    section("store", "", StoreStatus),
    section("consumers", "consumer", ConsumerStatus),
    section("backends", "backend", BackendStatus),
    section("clusters", "cluster", ClusterStatus),
    section("nodes", "node", NodeStatus, within="clusters"),
    section("queues", "cluster_queue", ClusterQueueStatus, within="clusters"),
    section("jobs", "job_database", JobDatabaseStatus),
    section("exporters", "exporter", ExporterStatus),
    section("servers", "server", ServerStatus),
)


def metric_of(section_name: str, key: str) -> Metric:
    """The metric of one number. :raises KeyError: there is none with that section and key."""
    return _BY_PLACE[section_name, key]


_BY_PLACE = {(metric.section, metric.key): metric for part in CATALOGUE for metric in part.metrics}


def metrics(status: Status, catalogue: Sequence[StatusSection] = CATALOGUE) -> Iterator[Reading]:
    """Iterate over all numbers of a status, metric by metric, in each row that has the metric's key.

    Backends are plugins: a value that is not a number reads as not known.
    """
    for part in catalogue:
        rows = part.rows(status)
        for metric in part.metrics:
            fits = _FITS[metric.kind] if not metric.by else Mapping
            for name, row in rows.items():
                # A backend that does not count unreadable messages has none.
                if metric.key in row or metric.summed:
                    value = row.get(metric.key)
                    yield Reading(metric, name, value if isinstance(value, fits) else None)


_FITS: Mapping[str, Any] = {
    "counter": (int, float),
    "gauge": (int, float),
    "flag": int,
    "histogram": Mapping,
    "quantiles": Mapping,
    "states": str,
}


NOUNS = {part.name: part.label or part.name for part in CATALOGUE}
"""By section: what a row of it is, such as ``consumer``, for exporters' names."""
SPLIT = frozenset((part.name, metric.total) for part in CATALOGUE for metric in part.metrics if metric.total)
"""Section and key of each sum that another metric splits by label: an exporter with labels leaves the sum out."""


def described(catalogue: Sequence[StatusSection] = CATALOGUE) -> list[dict[str, Any]]:
    """The catalogue as JSON-able rows, for programs without these types."""
    return [asdict(metric) for part in catalogue for metric in part.metrics]
