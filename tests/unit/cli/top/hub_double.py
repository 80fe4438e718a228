"""A hub for the terminal's tests: it answers what it is told, and notes the orders that it gets."""

from __future__ import annotations

import threading
from typing import Any

from hub.errors import HubError, OrderRefused, Unavailable
from tests.unit.rows import conditions_of

TIMES = {"p50": 0.1, "p95": 0.2, "p99": 0.25}


def worker(name: str = "slow-1", state: str = "busy", topic: str | None = "org.example.a") -> dict[str, Any]:
    busy = topic is not None
    return {
        "name": name,
        "state": state,
        "topic": topic,
        "message_id": "2026-1" if busy else None,
        "seconds": 3.5 if busy else None,
    }


def row(**changes: Any) -> dict[str, Any]:
    """Of a consumer, as the status has it."""
    known: dict[str, Any] = {
        "type": "slow",
        "class": "hub.consumers.slow:Slow",
        "state": "running",
        "paused": changes.get("state") == "paused",
        "paused_until": None,
        "draining": changes.get("state") in ("draining", "drained"),
        "topics": ["#"],
        "threads": 1,
        "backlog": 545,
        "in_flight": 1,
        "delayed": 0,
        "received": 600,
        "received_bytes": 6000,
        "finished": 55,
        **dict.fromkeys(("failed", "retried", "rejected", "dead", "dead_letters", "dead_lost", "dropped"), 0),
        "dropped_by": {},
        "oldest_age": 12.0,
        "durable": True,
        "rate_in": 20.0,
        "rate_out": 10.0,
        "trend": "catching_up",
        "catch_up_seconds": 60.0,
        "catch_up_at": 0.0,
        "catch_up_estimated": False,
        "catch_up_alone_seconds": None,
        "consume_time": TIMES,
        "age_at_finish": TIMES,
        "threads_replaced": 0,
        "tick_failures": 0,
        "error": None,
        "tick_error": None,
        "last_error": None,
        "utilisation": 0.75,
        "workers": [worker()],
    }
    found = {**known, **changes}
    return {"conditions": conditions_of(found), **found}


def status(**consumers: dict[str, Any]) -> dict[str, Any]:
    """Of a whole hub."""
    hub = {
        "version": "0.1.0",
        "state": "running",
        "uptime": 60.0,
        "pid": 1,
        "resident_bytes": 5 << 20,
        "received": 600,
        "unrouted": 0,
        "held_back_by": None,
        "ready": True,
        "not_ready": [],
        "draining": False,
        "lag": 0.002,
        "store": {"state": "ok", "used_bytes": 1 << 20, "reason": None},
    }
    bus = {"type": "zeromq", "state": "listening", "received": 600, "bytes": 6000}
    return {"hub": hub, "backends": {"bus": bus}, "consumers": consumers, "exporters": {}}


def letter(number: int, **changes: Any) -> dict[str, Any]:
    known = {
        "number": number,
        "id": f"id-{number}",
        "topic": "org.example.a",
        "headers": {"h": "v"},
        "body": "{}",
        "received_at": 1.0,
        "buried_at": 2.0,
        "attempts": 5,
        "reason": "no luck",
        "error": "ValueError",
        "traceback": "Traceback:\n  line",
    }
    return {**known, **changes}


class HubDouble:
    """Stands for a ``Client``. ``answers`` are by path; an error in them is raised."""

    def __init__(self, **consumers: dict[str, Any]) -> None:
        self.answers: dict[str, Any] = {"/status": status(**consumers)}
        self.orders: list[tuple[str, Any]] = []
        self.hold = threading.Event()
        self.hold.set()

    @property
    def consumers(self) -> dict[str, Any]:
        found: dict[str, Any] = self.answers["/status"]["consumers"]
        return found

    def away(self) -> None:
        """Answer nothing from now on."""
        self.answers = dict.fromkeys(self.answers, Unavailable("no hub is running: \x1b[31mred[/]"))

    def get(self, path: str) -> Any:
        self.hold.wait(10)
        if path not in self.answers:
            raise OrderRefused(
                f"no consumer is called {path.split('/')[2].partition('?')[0]!r}: there are {self._names()}"
            )
        return self._answer(self.answers[path])

    def _names(self) -> str:
        return ", ".join(self._answer(self.answers["/status"])["consumers"])

    def post(self, path: str, content: object = None, wait: float = 0.0) -> Any:
        """An order on a consumer that there is not is refused, and none is noted."""
        answer = self.answers[path] if path in self.answers else self._state(path, content)
        self.orders.append((path, content))
        self.hold.wait(10)
        return self._answer(answer)

    def _state(self, path: str, order: Any) -> dict[str, Any]:
        """The new state of what an order is on."""
        if path in ("/drain-hub", "/resume-hub"):
            rows = self._answer(self.answers["/status"])["consumers"].values()
            backlog = sum(row["backlog"] for row in rows if row["state"] != "orphan")
            return {"draining": path == "/drain-hub", "backlog": backlog}
        name = (order or {}).get("consumer")
        if name is None or isinstance(self.answers["/status"], HubError):
            return {}
        consumers = self._answer(self.answers["/status"])["consumers"]
        if name not in consumers:
            raise OrderRefused(f"no consumer is called {name!r}: there are {self._names()}")
        row = {"queue": name, **consumers[name]}
        if path != "/threads":
            return row
        return {"before": row["threads"], "threads": order["count"], "queue": row, "workers": row["workers"]}

    def _answer(self, answer: Any) -> Any:
        if isinstance(answer, HubError):
            raise answer
        return answer() if callable(answer) else answer
