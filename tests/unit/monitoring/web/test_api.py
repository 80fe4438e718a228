"""The verbs, as the web server has them: what the status shows, how new it is, and what it costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from twisted.internet.task import Clock

from hub.monitoring.web.guard import PENALTY
from hub.monitoring.web.pages import Status
from hub.monitoring.web.sampler import FRESH
from hub.monitoring.web.server import Web
from hub.monitoring.web.token import read
from tests.unit.doubles import RecordingLog
from tests.unit.monitoring.web.web_server import Answer, ask, connect, context, snapshot


class Bench:
    """A web server of a hub whose one consumer has failed; ``taken`` counts how often its status was made."""

    def __init__(self, directory: Path, **config: Any) -> None:
        self.clock, self.taken = Clock(), 0
        given = context(directory, self.clock, RecordingLog(), **config)
        object.__setattr__(given, "snapshot", self.snapshot)
        self.web = Web(given, self.clock.seconds)
        if self.web._token is not None:
            self.web._token.prepare()
            self.token = f"Bearer {read(directory / 'web.token')}"

    def snapshot(self) -> dict[str, Any]:
        self.taken += 1
        found = snapshot(c=545)
        found["consumers"]["c"]["last_error"] = {"error": "ValueError", "text": "hunter2", "time": 1.0, "attempt": 1}
        return found

    def ask(self, method: str = "GET", path: str = "/api/status", authorization: str = "") -> Answer:
        return ask(self.web._site, method, path, {"Authorization": authorization})


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_the_status_has_the_text_of_an_error_with_the_token_only(bench: Bench) -> None:
    shown = bench.ask()
    assert shown.headers["content-type"] == "application/json"
    assert shown.json()["consumers"]["c"]["backlog"] == 545
    assert shown.json()["consumers"]["c"]["last_error"]["error"] == "ValueError"
    assert b"hunter2" not in shown.body
    assert b"hunter2" in bench.ask(authorization=bench.token).body


@pytest.mark.parametrize(
    "path", ["/api/status/", "/api/%73tatus", "/api/status/c", "/api/status?contents=1", "/api//status"]
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "FOO"])
def test_there_is_no_way_around_it(bench: Bench, method: str, path: str) -> None:
    assert b"hunter2" not in bench.ask(method, path).body
    assert [type(verb) for verb in bench.web._site.resource.verbs()["api"] if verb.path == "status"] == [Status]


def test_a_wrong_token_is_not_the_same_as_none(bench: Bench) -> None:
    channel, wire = connect(bench.web._site)
    channel.dataReceived(b"GET /api/status HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer wrong\r\n\r\n")
    bench.clock.advance(PENALTY)
    assert Answer(wire.value()).code == 401  # type: ignore[no-untyped-call]
    assert bench.web.status()["wrong_tokens"] == 1


def test_who_asks_often_costs_the_hub_little(bench: Bench) -> None:
    for _ in range(50):
        bench.ask()
        bench.ask(authorization=bench.token)
        bench.ask("POST", "/api/pause")
    assert bench.taken == 1
    bench.clock.advance(FRESH + 0.01)
    bench.ask()
    assert bench.taken == 2


def test_who_has_changed_something_finds_it_changed(bench: Bench) -> None:
    bench.ask()
    assert bench.ask("POST", "/api/pause", bench.token).code == 200
    bench.ask()
    assert bench.taken == 2
