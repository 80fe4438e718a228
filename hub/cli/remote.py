"""Client of the verbs of a running hub, for the command line."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import quote

from hub.errors import OrderRefused, Unavailable
from hub.text import printable, some_of

POLL_EVERY = 0.2
"""Seconds between two polls of a state that a command waits for."""
DROP_TIMEOUT = 600.0
"""Seconds that the hub may take to drop an outbox: it reads all of its messages."""


class Asking(Protocol):
    """The methods of :class:`hub.control.client.Client` that are used here, with the same errors."""

    def get(self, path: str) -> Any:
        """Fetch ``path``. Returns the decoded answer."""

    def post(self, path: str, content: object = None, wait: float = 0.0) -> Any:
        """Send an order. Returns the decoded answer. :param wait: seconds that the order itself may take."""


class Remote:
    """A running hub. Every method sends a request and waits for the answer; all raise what the client raises.

    :param wait: sleeps so many seconds, between two polls.
    :ivar stored: whether the outcome of all orders so far is on the hub's disk.
    """

    def __init__(
        self,
        client: Asking,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self._client = client
        self.wait = wait
        self.stored = True

    def status(self) -> dict[str, Any]:
        """The status of the hub; see :mod:`hub.status`."""
        answer: dict[str, Any] = self._client.get("/status")
        return answer

    def row(self, name: str) -> dict[str, Any]:
        """The status of one queue. :raises OrderRefused: there is none of that name."""
        return row_of(self.status(), name)

    def pause(self, name: str, until: float | None = None) -> Any:
        """Pause a consumer. Returns the queue's state. :param until: epoch seconds at which the pause ends."""
        order: dict[str, object] = {"consumer": name}
        return self._client.post("/pause", order if until is None else {**order, "until": until})

    def resume(self, name: str) -> Any:
        """Resume a consumer after a pause or a drain. Returns the queue's state."""
        return self._client.post("/resume", {"consumer": name})

    def drain(self, name: str) -> Any:
        """Drain a consumer. Returns the queue's state."""
        return self._client.post("/drain", {"consumer": name})

    def purge(self, name: str) -> Any:
        """Drop all waiting messages of a queue. Returns ``purged``, their number, and ``queue``, its state."""
        return self._store("/purge-queue", {"queue": name})

    def _store(self, path: str, order: Mapping[str, object], wait: float = 0.0) -> Any:
        """Send an order that the hub stores. :param wait: seconds that the order itself may take."""
        answer = self._client.post(path, order, wait) if wait else self._client.post(path, order)
        self.stored = self.stored and answer.get("stored", True)
        return answer

    def reload(self) -> list[str]:
        """Reload the hub's configuration. Returns a line for each change and each problem."""
        answer = self._client.post("/reload")
        return [*answer["changes"], *answer.get("problems", [])]

    def threads(self, name: str) -> list[dict[str, Any]]:
        """The threads of a consumer: the message of each, for how long, and its stack."""
        return _rows(self._client.get(f"/threads/{quote(name, safe='')}"), "threads")

    def set_threads(self, name: str, count: int) -> Any:
        """Change the number of a consumer's threads, until the hub restarts or the settings change."""
        return self._client.post("/threads", {"consumer": name, "count": count})

    def peek(self, name: str, count: int) -> list[dict[str, Any]]:
        """The ``count`` oldest messages of a queue. They stay in it."""
        return _rows(self._client.get(f"/peek/{quote(name, safe='')}?count={count}"), "messages")

    def letters(self, name: str) -> list[dict[str, Any]]:
        """All dead letters of a queue, the oldest first."""
        return _rows(self._client.get(f"/dead/{quote(name, safe='')}"), "dead_letters")

    def letter(self, name: str, number: int) -> dict[str, Any] | None:
        """The dead letter with that number, if there is one. The hub reads no other."""
        found = _rows(self._client.get(f"/dead/{quote(name, safe='')}?number={number}"), "dead_letters")
        return found[0] if found else None

    def refused(self, backend: str = "", number: int | None = None) -> list[dict[str, Any]]:
        """Refused messages of one backend, or of all, the oldest first. :param number: only this one."""
        query = "" if number is None else f"?number={number}"
        return _rows(self._client.get(f"/refused/{quote(backend, safe='')}{query}"), "refused")

    def drop_outbox(self, backend: str) -> Any:
        """Drop all messages for a removed backend. Returns ``dropped``, their number, and ``problem``, if not all."""
        return self._store("/drop-outbox", {"backend": backend}, DROP_TIMEOUT)

    def delete_letters(self, name: str, numbers: Sequence[int]) -> int:
        """Delete dead letters. Returns the number of those that existed."""
        return int(self._store("/delete-dead", {"consumer": name, "numbers": list(numbers)})["deleted"])

    def retry(self, name: str, numbers: Sequence[int], canary: int | None = None, timeout: float = 60.0) -> int:
        """Retry dead letters. Returns the number of those that were queued again.

        :param canary: number of letters to try first, the oldest; the rest follows only if these are finished within
            ``timeout`` seconds.
        :raises Unavailable: the queue is full, or the canary failed. All other letters stay dead letters.
        """
        order: dict[str, object] = {"consumer": name, "numbers": sorted(numbers)}
        if canary:
            order |= {"canary": canary, "timeout": timeout}
        answer = self._store("/retry-dead", order, timeout if canary else 0.0)
        if answer.get("problem"):
            raise Unavailable(printable(answer["problem"]))
        return int(answer["count"])


def row_of(status: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The row of one queue in a status. :raises OrderRefused: there is none of that name."""
    rows: Mapping[str, dict[str, Any]] = status["consumers"]
    if name not in rows:
        raise OrderRefused(f"no queue is called {name!r}: there are {some_of(rows)}")
    return rows[name]


def _rows(answer: Any, key: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer[key]
    return found
