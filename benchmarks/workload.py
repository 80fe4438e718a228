"""Workload: message bodies, and consumers' notes. Standard library only: each system's own interpreter imports it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

TOPIC = "org.example.bench.git.receive"
READY = "ready"
"""File that a broker's consumers create when all are subscribed."""


def body(size: int) -> bytes:
    """Body like fedmsg's, of exactly ``size`` bytes, with ``"t": 0`` as the place of a time stamp."""
    commit = {
        "branch": "main",
        "repo": "lantern",
        "rev": "5d9dc9f81818e811892f902bd23f0824128b2f33",
        "stats": {"files": {"lantern.spec": {"additions": 2, "deletions": 1}}, "total": {"files": 1, "additions": 2}},
        "summary": "Explain the retry policy",
        "username": "amara",
    }
    message = {
        "i": 1,
        "msg": {"agent": "amara", "commit": commit, "pad": "", "t": "0" * 16},
        "msg_id": "2026-11e20b8f-6b0d-449b-af03-675a1600a35a",
        "timestamp": 1763700003,
        "topic": TOPIC,
        "username": "amara",
    }
    short = len(_encode(message))
    if size < short:
        raise ValueError(f"a body has at least {short} bytes")
    message["msg"]["pad"] = "x" * (size - short)  # type: ignore[index]
    return _encode(message)


def _encode(message: object) -> bytes:
    return json.dumps(message, sort_keys=True, separators=(",", ":")).encode()


def ready() -> None:
    """Tell the benchmark that all of a broker's consumers are subscribed."""
    Path(json.loads(os.environ["HUBBUB_BENCH"])["directory"], READY).touch()


class Ledger:
    """Notes of one consumer: when it consumed the last of ``count`` messages, and optionally each one's latency.

    :param directory: the notes are written there when all messages were consumed, in a file of the consumer's name.
    """

    def __init__(self, directory: str, name: str, count: int, latency: bool) -> None:
        self._file = Path(directory, name)
        self._count = count
        self._seen = 0
        self._latencies: list[int] | None = [] if latency else None

    def note(self, message: dict[str, dict[str, str]]) -> None:
        """Note that a message was decoded and consumed."""
        if self._latencies is not None:
            self._latencies.append(time.monotonic_ns() - int(message["msg"]["t"]))
        self._seen += 1
        if self._seen == self._count:
            notes = {"finished": time.monotonic_ns(), "latencies": self._latencies}
            part = self._file.with_suffix(".part")
            part.write_text(json.dumps(notes))
            part.rename(self._file)

    @classmethod
    def from_environment(cls, name: str) -> Ledger:
        """Ledger with the parameters that the benchmark passes in the environment."""
        settings = json.loads(os.environ["HUBBUB_BENCH"])
        return cls(settings["directory"], name, settings["count"], settings["latency"])
