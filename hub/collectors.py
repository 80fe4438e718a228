"""Metrics that a plugin's file has in its module: a process has each once, so that they are in the way of the next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from prometheus_client import REGISTRY
from prometheus_client.registry import Collector

_of_file: dict[Path, set[Collector]] = {}


@contextmanager
def replaced(file: Path) -> Iterator[None]:
    """While the file is imported: what its import before has registered with ``prometheus_client`` is not there; after
    it, too, unless the import fails."""
    old = _of_file.get(file, set())
    _unregister(old)
    before = _registered()
    try:
        yield
    except BaseException:
        _unregister(_registered() - before)
        for collector in old:
            with suppress(ValueError):
                REGISTRY.register(collector)
        raise
    _of_file[file] = _registered() - before


def _unregister(collectors: set[Collector]) -> None:
    for collector in collectors:
        with suppress(KeyError):  # somebody has done so already
            REGISTRY.unregister(collector)


def _registered() -> set[Collector]:
    """The library has no way to ask."""
    return set(REGISTRY._collector_to_names)
