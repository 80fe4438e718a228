"""Numbers of the status as text, in the units of the catalogue. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.status.catalogue import metric_of
from hub.status.metric import Metric
from hub.units import format_duration, format_size


def number_text(metric: Metric, value: Any) -> str:
    """The value of a metric, such as ``3.4s``, ``12.5/s``; ``-`` if it is not known.

    :param value: one number, also of a metric that has several.
    """
    if value is None:
        return "-"
    if metric.unit == "s":
        return format_duration(value)
    if metric.unit == "By":
        return format_size(value)
    if metric.is_rate:
        return f"{value:.1f}"
    return f"{value:.0%}" if metric.unit == "1" else str(value)


def text_of(section: str, row: Mapping[str, Any], key: str) -> str:
    """The number in a row of the status as text; percentiles as ``p50 3ms, p95 9ms, p99 -``."""
    metric, value = metric_of(section, key), row.get(key)
    if metric.kind == "quantiles":
        return ", ".join(f"{name} {number_text(metric, one)}" for name, one in (value or {}).items())
    return number_text(metric, value)
