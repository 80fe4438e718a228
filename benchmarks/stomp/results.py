"""Results of all rounds, and their medians. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median


class Results:
    """Numbers by server, scenario and field, a value for each round."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, str, str], list[float]] = {}

    def add(self, server: str, scenario: str, **fields: float) -> None:
        """Add what one round has measured."""
        for field, value in fields.items():
            self._values.setdefault((server, scenario, field), []).append(value)

    def get(self, server: str, scenario: str, field: str) -> float | None:
        """Median of all rounds; ``None``: it was not measured."""
        values = self._values.get((server, scenario, field))
        return median(values) if values else None

    def spread(self, server: str, scenario: str, field: str) -> tuple[float, float] | None:
        """Least and greatest value; ``None``: it was not measured."""
        values = self._values.get((server, scenario, field))
        return (min(values), max(values)) if values else None

    def rows(self) -> Iterator[dict[str, object]]:
        """Rows of the results file."""
        for (server, scenario, field), values in self._values.items():
            yield {"server": server, "scenario": scenario, "field": field, "values": values}
