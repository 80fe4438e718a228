"""The trace that a job belongs to, as its row has it: JSON of the headers ``traceparent`` and ``tracestate``. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping

from hub.traceparent import trace_of


def trace_text(headers: Mapping[str, object]) -> str | None:
    """What a row has of trace headers; ``None``: they name no trace. Other headers among them are left out, and so are
    invalid ones: a trace is no reason to lose a job."""
    trace = trace_of(headers)
    return json.dumps(trace) if trace else None


def trace_headers(text: str | None) -> dict[str, str]:
    """The headers of a row; empty: it has none."""
    if text is None:
        return {}
    try:
        headers = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return trace_of(headers) if isinstance(headers, dict) else {}
