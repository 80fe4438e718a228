"""Protocols between the hub and a database of jobs, and the context of such a part."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from hub.interfaces import Clock
from hub.settings import Settings


@dataclass(frozen=True)
class JobContext:
    """The context that a database of jobs is made with.

    :ivar state_dir: where the relative path of a file begins. :ivar monotonic: seconds. :ivar wall: epoch seconds.
    :ivar trace: returns the trace headers of what the calling thread does now, which jobs that it inserts go on with.
    """

    name: str
    config: Any
    log: logging.LoggerAdapter[logging.Logger]
    state_dir: Path
    monotonic: Clock
    wall: Clock
    trace: Callable[[], Mapping[str, object]] = dict


class JobKeeper(Protocol):
    """A part ``[jobs.NAME]``: it claims jobs for the consumers' sources, and writes what became of them.

    A source is a :class:`hub.job_database.interfaces.Source`.
    """

    Config: type[Settings]
    jobs: Any
    """The database, as programs use it: a :class:`hub.jobs.Jobs`. Thread-safe; its calls wait for the database."""

    def __init__(self, context: JobContext) -> None: ...

    def start(self) -> None:
        """Start. A database that is away is tried again and again. :raises HubError: it can't be used at all."""

    @property
    def max_body(self) -> int:
        """Bytes that the body of a job may have."""

    def insert(self, jobs: Sequence[Any]) -> None:
        """Insert jobs (:class:`hub.jobs.job.NewJob`) in one transaction. In any thread, which may wait.

        :raises HubError: the database is away, busy, or can't be used.
        """

    def attach(self, source: Any) -> None:
        """Claim jobs for a source from now on. Thread-safe."""

    def detach(self, source: Any) -> None:
        """Claim none for it any more. What its workers have in hand is still settled. Thread-safe."""

    def is_cancelled(self, job: int) -> bool:
        """Tell whether a job in hand was cancelled, as far as is known. Thread-safe, and cheap."""

    def drain(self, timeout: float) -> None:
        """Claim no jobs any more, and wait until none is in hand, at most ``timeout`` seconds. In any thread."""

    def stop(self, timeout: float) -> None:
        """End; what is in hand then is given back. It waits at most ``timeout`` seconds for results that are not
        written, and for the database. In any thread."""

    def status(self) -> Mapping[str, Any]:
        """Return the status, JSON-able: at least ``state``; and ``not_ready``, the reason, while it can't work."""
