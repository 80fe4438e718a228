"""Health, metrics, history and spikes, of a server with no hub behind it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from hub.http import api
from hub.http.api import CROWDED
from hub.monitoring.web import site, static
from hub.monitoring.web.pages import LONGEST, LONGEST_OF_ALL, READ_TIMEOUT
from hub.monitoring.web.redaction import redacted
from hub.monitoring.web.sampler import Snapshot
from hub.monitoring.web.server import Web, history_path
from hub.monitoring.web.worker_thread import MOST, TOO_MUCH
from tests.unit.doubles import RecordingLog
from tests.unit.monitoring.web.test_recorder import Now
from tests.unit.monitoring.web.web_server import Answer, ask, connect, context, snapshot


class Bench:
    """A web server whose threads' work is done at once."""

    def __init__(self, directory: Path) -> None:
        self.clock, self.log, self.second = Clock(), RecordingLog(), 0
        given = context(directory, self.clock, self.log)
        self.status = snapshot(c=545)
        object.__setattr__(given, "snapshot", lambda: self.status)
        self.web = Web(given, self.clock.seconds)
        self.pages, self.disk = Now(), Now()
        self.web._recorder._worker = self.disk  # type: ignore[assignment]
        self.verb("metrics")._worker = self.pages

    def verb(self, path: str) -> Any:
        return next(verb for verb in self.web._site.resource.verbs()[""] if verb.path == path)

    def get(self, path: str) -> Answer:
        return ask(self.web._site, "GET", path)

    def beat(self, **backlogs: int) -> None:
        self.web._recorder.record(Snapshot(1000.0 + self.second, float(self.second), snapshot(**backlogs)))
        self.second += 1


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    made.web._recorder.start()
    yield made
    made.web._recorder.close()


def test_health_is_that_it_answers(bench: Bench) -> None:
    assert bench.get("/healthz").json() == {"state": "running"}


def test_readiness_has_its_reasons(bench: Bench) -> None:
    assert (bench.get("/readyz").code, bench.get("/readyz").json()) == (200, {"ready": True, "reasons": []})
    reasons = ["consumer c is stuck", "consumer d does not start: ValueError: the password is hunter2"]
    bench.status["hub"] |= {"ready": False, "not_ready": reasons}
    bench.clock.advance(1)
    red = bench.get("/readyz")
    shown = ["consumer c is stuck", "consumer d does not start"]
    assert (red.code, red.json()) == (503, {"ready": False, "reasons": shown})


def test_metrics_are_what_the_renderer_makes(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []

    def rendered(*arguments: Any) -> tuple[str, bytes]:
        given.append(arguments)
        return "text/special", b"545"

    monkeypatch.setattr("hub.monitoring.web.pages.render", rendered)
    answer = ask(bench.web._site, "GET", "/metrics", {"Accept": "any"})
    assert (answer.body, answer.headers["content-type"]) == (b"545", "text/special")
    assert given == [(redacted(bench.status), "any")]


def test_a_renderer_that_fails_is_a_fault_of_ours(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.monitoring.web.pages.render", lambda *_: 1 // 0)
    assert bench.get("/metrics").code == 500
    assert bench.log.actions() == ["bug"]


def test_history_is_of_all_or_of_one(bench: Bench) -> None:
    bench.beat(**{"c": 1, "a/é <b>": 7})
    bench.beat(**{"c": 2, "a/é <b>": 8})
    whole = bench.get("/history?span=2").json()
    assert (whole["step"], whole["start"]) == (1, 1000)
    assert {name: found["backlog"] for name, found in whole["consumers"].items()} == {"c": [1, 2], "a/é <b>": [7, 8]}
    one = bench.get("/history/a%2F%C3%A9%20%3Cb%3E?span=2").json()
    assert one["consumers"] == {"a/é <b>": whole["consumers"]["a/é <b>"]}
    assert len(bench.get("/history/c").json()["consumers"]["c"]["rate_in"]) == 600
    assert bench.get(f"/history/c?span={LONGEST}").json()["step"] == 600
    assert bench.get("/history/nobody").code == 404


@pytest.mark.parametrize("span", ["", "0", "-1", "1.5", "ten", str(LONGEST + 1), "9" * 50, "%D9%A1"])
def test_a_span_is_a_number_of_seconds(bench: Bench, span: str) -> None:
    assert bench.get(f"/history?span={span}").code == 400


def test_of_all_queues_at_once_there_is_an_hour(bench: Bench) -> None:
    assert bench.get(f"/history?span={LONGEST_OF_ALL}").code == 200
    assert bench.get(f"/history?span={LONGEST_OF_ALL + 1}").code == 400


def test_spikes_are_of_one(bench: Bench) -> None:
    bench.beat(c=545)
    bench.beat(c=0)
    spike = {"started_at": 1000.0, "peak": 545, "peak_at": 1000.0, "cleared_at": 1001.0}
    assert bench.get("/spikes/c").json() == {"spikes": [spike]}
    assert bench.get("/spikes/nobody").json() == {"spikes": []}


@pytest.mark.parametrize("path", ["/history", "/spikes/c"])
def test_what_is_asked_for_before_it_is_read_is_answered_when_it_is(tmp_path: Path, path: str) -> None:
    bench = Bench(tmp_path)
    bench.disk.held = []
    bench.web._recorder.start()
    channel, wire = connect(bench.web._site)
    channel.dataReceived(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    gone, _ = connect(bench.web._site)
    gone.dataReceived(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    gone.connectionLost()
    assert wire.value() == b""  # type: ignore[no-untyped-call]
    bench.disk.let_go()
    assert Answer(wire.value()).code == 200  # type: ignore[no-untyped-call]
    bench.web._recorder.close()


def test_a_disk_that_hangs_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.disk.held = []
    bench.web._recorder.start()
    channel, wire = connect(bench.web._site)
    channel.dataReceived(b"GET /history HTTP/1.1\r\nHost: localhost\r\n\r\n")
    bench.clock.advance(READ_TIMEOUT)
    assert Answer(wire.value()).code == 503  # type: ignore[no-untyped-call]
    bench.disk.let_go()
    bench.web._recorder.close()


def test_too_many_at_once_are_told_so(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.verb("metrics")._worker = bench.web._pages
    waiting = [bench.web._pages.do(lambda: None) for _ in range(MOST)]
    assert all(isinstance(each, Deferred) for each in waiting)
    assert bench.get("/metrics").code == 503


@pytest.mark.parametrize("path", ["/history", "/spikes/c"])
def test_where_too_many_ask_the_history_is_not_even_read(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    bench.disk.full = True
    monkeypatch.setattr(bench.disk, "do", lambda *_: pytest.fail("it was read"))
    answer = bench.get(path)
    monkeypatch.undo()
    assert (answer.code, answer.json()) == (503, {"problems": [TOO_MUCH]})


def test_no_large_answer_is_added_to_what_nobody_reads(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "MOST_UNREAD", 10)
    monkeypatch.setattr(api, "LARGE", 10)
    answer = bench.get("/history")
    assert (answer.code, answer.json()) == (503, {"problems": [CROWDED]})


def test_two_servers_have_two_histories(tmp_path: Path) -> None:
    assert history_path("web", tmp_path).name == "history.db"
    assert history_path("a/ü", tmp_path).parent == tmp_path
    assert history_path("a/ü", tmp_path) != history_path("web", tmp_path)


def test_a_page_that_is_not_there_says_so(bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(static, "DIRECTORY", tmp_path)
    assert bench.get("/nothing").json() == {
        "problems": ["there is nothing at /nothing; GET /api/openapi.json lists what there is"]
    }
