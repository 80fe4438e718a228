"""Unregisters Prometheus metrics of a plugin's former module: a process may register each only once."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prometheus_client.registry import Collector

_of_file: dict[Path, set[Collector]] = {}


@contextmanager
def replaced(file: Path) -> Iterator[None]:
    """Unregister the metrics that the previous import of a file registered with ``prometheus_client``, while it is
    imported anew. If the import fails, they are registered again."""
    old = _of_file.get(file, set())
    _unregister(old)
    before = _registered()
    try:
        yield
    except BaseException:
        _unregister(_registered() - before)
        for collector in old:
            with suppress(ValueError):
                _library().REGISTRY.register(collector)
        raise
    _of_file[file] = _registered() - before


def _unregister(collectors: set[Collector]) -> None:
    for collector in collectors:
        with suppress(KeyError):  # it is unregistered already
            _library().REGISTRY.unregister(collector)


def _registered() -> set[Collector]:
    """The registered collectors; the library has no public method for it. Until it is imported, there are none."""
    return set(_library().REGISTRY._collector_to_names) if "prometheus_client" in sys.modules else set()


def _library() -> Any:
    return sys.modules["prometheus_client"]
