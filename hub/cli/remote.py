"""The verbs of a running hub, as the command line says them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import quote

from hub.control.client import Refused
from hub.errors import Unavailable
from hub.text import counted, printable
from hub.units import format_duration

POLL_EVERY = 0.2
"""Seconds between two looks at something that is waited for."""


class Asking(Protocol):
    """What a :class:`hub.control.client.Client` is to this; it raises as that does."""

    def get(self, path: str) -> Any:
        """The answer."""

    def post(self, path: str, content: object = None) -> Any:
        """As ``get``, for an order."""


class Remote:
    """See the module. Every method asks the hub and waits for its answer; all raise what the client raises.

    :param wait: lets so many seconds pass, between two looks at something that is waited for.
    :param clock: monotonic seconds.
    :ivar stored: whether all that was ordered is on the hub's disk.
    """

    def __init__(
        self,
        client: Asking,
        wait: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self.wait = wait
        self._clock = clock
        self.stored = True

    def status(self) -> dict[str, Any]:
        """The numbers of everything; see :mod:`hub.status`."""
        answer: dict[str, Any] = self._client.get("/status")
        return answer

    def row(self, name: str) -> dict[str, Any]:
        """The status of one queue. :raises Refused: there is none of that name."""
        return row_of(self.status(), name)

    def pause(self, name: str, until: float | None = None) -> Any:
        """Nothing more is handed to it. :param until: epoch seconds at which it goes on by itself."""
        order: dict[str, object] = {"consumer": name}
        return self._client.post("/pause", order if until is None else {**order, "until": until})

    def resume(self, name: str) -> Any:
        """After a pause or a drain."""
        return self._client.post("/resume", {"consumer": name})

    def drain(self, name: str) -> Any:
        """Nothing more is routed to it; it works off what it has."""
        return self._client.post("/drain", {"consumer": name})

    def drain_hub(self) -> Any:
        """All buses are held back; the consumers work off what there is."""
        return self._client.post("/drain-hub", {})

    def resume_hub(self) -> Any:
        """After ``drain_hub``."""
        return self._client.post("/resume-hub", {})

    def purge(self, name: str) -> Any:
        """Drop all that waits."""
        return self._store("/purge-queue", {"queue": name})

    def _store(self, path: str, order: Mapping[str, object]) -> Any:
        """An order that the hub's disk has to take."""
        answer = self._client.post(path, order)
        self.stored = self.stored and answer.get("stored", True)
        return answer

    def reload(self) -> list[str]:
        """Have it read its configuration again. Returns what changed, and what could not."""
        answer = self._client.post("/reload")
        return [*answer["changes"], *answer.get("problems", [])]

    def threads(self, name: str) -> list[dict[str, Any]]:
        """What each thread handles, and for how long, with its stack."""
        return _rows(self._client.get(f"/threads/{quote(name, safe='')}"), "threads")

    def set_threads(self, name: str, count: int) -> Any:
        """How many there are to be, until the hub is restarted or the consumer's settings change."""
        return self._client.post("/threads", {"consumer": name, "count": count})

    def peek(self, name: str, count: int) -> list[dict[str, Any]]:
        """The messages that wait longest; they stay where they are."""
        return _rows(self._client.get(f"/peek/{quote(name, safe='')}?count={count}"), "messages")

    def letters(self, name: str) -> list[dict[str, Any]]:
        """The dead letters, the oldest first."""
        return _rows(self._client.get(f"/dead/{quote(name, safe='')}"), "dead_letters")

    def letter(self, name: str, number: int) -> dict[str, Any] | None:
        """The dead letter of that number, if there is one; no other is read."""
        found = _rows(self._client.get(f"/dead/{quote(name, safe='')}?number={number}"), "dead_letters")
        return found[0] if found else None

    def refused(self, backend: str = "", number: int | None = None) -> list[dict[str, Any]]:
        """What could not be used, of that backend or of all, the oldest first. :param number: only that one."""
        query = "" if number is None else f"?number={number}"
        return _rows(self._client.get(f"/refused/{quote(backend, safe='')}{query}"), "refused")

    def delete_letters(self, name: str, numbers: Sequence[int]) -> int:
        """Returns how many there were."""
        return int(self._store("/delete-dead", {"consumer": name, "numbers": list(numbers)})["deleted"])

    def retry(self, name: str, numbers: Sequence[int], canary: int | None = None, timeout: float = 60.0) -> int:
        """Give dead letters to their consumer again. Returns how many.

        :param canary: so many first, the oldest; the rest only if these are through within ``timeout`` seconds, and
            none of them died again.
        :raises Unavailable: the queue did not take them all, or so it was with a canary. Nothing more is given then;
            what was not taken stays a dead letter.
        """
        ordered = sorted(numbers)
        if canary:
            self._try_first(name, ordered[:canary], timeout)
        if rest := ordered[canary or 0 :]:
            self._give(name, rest)
        return len(ordered)

    def _give(self, name: str, numbers: Sequence[int]) -> dict[str, int]:
        """Where they lie now. :raises Unavailable: not all were taken."""
        given: dict[str, int] = self._store("/retry-dead", {"consumer": name, "numbers": list(numbers)})
        if given["count"] < len(numbers):
            took = f"the queue of {name} took {given['count']} of {counted(len(numbers), 'dead letter')}"
            full = given.get("not_taken", 0)
            gone = len(numbers) - given["count"] - full
            why = [f"it is full, so {full} stayed"] if full else []
            why += [f"{gone} had gone before"] if gone else []
            raise Unavailable(f"{took}: {'; '.join(why)}")
        return given

    def _try_first(self, name: str, numbers: Sequence[int], timeout: float) -> None:
        """The page has the same rule, in ``model/canary.js``; ``tests/unit/canary.json`` has cases for both."""
        died, before = self._died(name), {letter["number"]: letter["id"] for letter in self.letters(name)}
        highest, ids = max(before, default=0), {before[number] for number in numbers if number in before}
        given, deadline = self._give(name, numbers), self._clock() + timeout
        path = f"/unsettled/{quote(name, safe='')}?start={given['start']}&stop={given['stop']}"
        while self._client.get(path)["unsettled"]:
            self._wait_more(deadline, timeout)
        # It is counted when it dies, and listed when that is committed: a slow disk must not pass for a mended cause.
        while (count := self._died(name) - died) > 0:
            later = [letter for letter in self.letters(name) if letter["number"] > highest]
            if again := [letter for letter in later if letter["id"] in ids]:
                reason = printable(again[0]["reason"])
                raise Unavailable(f"{len(again)} died again, the first of: {reason}: the rest was left")
            if len(later) >= count:
                return
            self._wait_more(deadline, timeout)

    def _died(self, name: str) -> int:
        return int(self.status()["consumers"].get(name, {"dead": 0})["dead"])

    def _wait_more(self, deadline: float, timeout: float) -> None:
        """A moment. :raises Unavailable: it is over."""
        if self._clock() >= deadline:
            raise Unavailable(f"the first ones were not through after {format_duration(timeout)}: the rest was left")
        self.wait(POLL_EVERY)


def row_of(status: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Of one queue. :raises Refused: there is none of that name."""
    rows: Mapping[str, dict[str, Any]] = status["consumers"]
    if name not in rows:
        raise Refused(f"no queue is called {name!r}: there are {', '.join(rows) or 'none'}")
    return rows[name]


def _rows(answer: Any, key: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer[key]
    return found
