"""An exporter in its thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from hub.configuration.schema import ExporterSettings, Part
from hub.errors import ConfigError, HubError
from hub.http.mounts import PluginMounts
from hub.parts.exporters import Exporters, ExportThread
from hub.parts.parts import Parts
from hub.plugins import Plugin
from hub.settings import Settings
from hub.tracing import Tracing
from tests.support import wait_until
from tests.unit.doubles import FakeReactor, RecordingLog, in_turn


class Recorder:
    """Notes what it is given; ``on_export`` does what it is told."""

    Config = Settings

    def __init__(self, context: Any = None) -> None:
        self.given: list[Mapping[str, Any]] = []
        self.closed = threading.Event()
        self.on_export: Callable[[], object] = lambda: None

    def export(self, snapshot: Mapping[str, Any]) -> None:
        self.given.append(snapshot)
        self.on_export()

    def close(self) -> None:
        self.closed.set()


def started(exporter: Recorder) -> tuple[ExportThread, RecordingLog]:
    log = RecordingLog()
    return ExportThread("test", exporter, log), log


def end(thread: ExportThread) -> None:
    thread.close()
    assert thread.gone.wait(10)


def test_a_snapshot_is_exported() -> None:
    exporter = Recorder()
    thread, _ = started(exporter)
    thread.offer({"n": 1})
    wait_until(lambda: thread.exported == 1)
    end(thread)
    assert exporter.given == [{"n": 1}]
    assert exporter.closed.is_set()


def test_a_slow_exporter_skips_and_gets_the_newest() -> None:
    exporter, busy, go_on = Recorder(), threading.Event(), threading.Event()
    exporter.on_export = in_turn(busy.set, lambda: go_on.wait(10))
    thread, _ = started(exporter)
    thread.offer({"n": 0})
    assert busy.wait(10)
    for number in range(1, 5):
        thread.offer({"n": number})
    assert thread.skipped == 3
    go_on.set()
    end(thread)
    assert exporter.given == [{"n": 0}, {"n": 4}]


@pytest.mark.parametrize("error", [OSError, SystemExit, MemoryError])
def test_an_exporter_that_fails_is_counted_and_given_the_next(error: type[BaseException]) -> None:
    exporter = Recorder()

    def fail() -> None:
        raise error("no route to host")

    exporter.on_export = fail
    thread, log = started(exporter)
    thread.offer({})
    wait_until(lambda: thread.failed == 1)
    thread.offer({})
    wait_until(lambda: thread.failed == 2)
    assert thread.status()["last_error"] == f"{error.__name__}: no route to host"
    exporter.on_export = lambda: None
    thread.offer({})
    wait_until(lambda: thread.exported == 1)
    end(thread)
    assert thread.status() == {"exported": 1, "failed": 2, "skipped": 0, "last_error": None}
    told = f"the numbers could not be exported: {error.__name__}: no route to host"
    assert log.lines() == [told, "exporting again"]
    assert (log.records[0].exc_info is None) == (error is OSError)


def test_what_was_offered_last_is_exported_before_it_closes() -> None:
    exporter = Recorder()
    thread, _ = started(exporter)
    thread.offer({"last": True})
    end(thread)
    assert exporter.given == [{"last": True}]
    assert exporter.closed.is_set()


def test_close_does_not_wait_for_an_exporter_that_hangs() -> None:
    exporter, busy, go_on = Recorder(), threading.Event(), threading.Event()
    exporter.on_export = in_turn(busy.set, lambda: go_on.wait(10))
    thread, _ = started(exporter)
    thread.offer({})
    assert busy.wait(10)
    thread.close()
    assert not thread.gone.is_set()
    go_on.set()
    assert thread.gone.wait(10)


class FailsToClose(Recorder):
    def close(self) -> None:
        raise OSError("socket is closed already")


def test_an_exporter_that_fails_to_close_is_logged() -> None:
    thread, log = started(FailsToClose())
    end(thread)
    assert log.actions() == ["close"]


# -- all of them


class Loop:
    """One that is turned by hand."""

    def __init__(self, call: Callable[[], object], every: float) -> None:
        self.call, self.every, self.stopped = call, every, False

    def stop(self) -> None:
        self.stopped = True


class Broken(Recorder):
    def __init__(self, context: Any) -> None:
        raise HubError("there is no such host")


def part(cls: type[Any] = Recorder) -> Part:
    return Part("one", Plugin(cls, "v1"), ExporterSettings(type="recorder", interval=3.0), Settings())


def exporters() -> tuple[Exporters, list[Loop]]:
    loops: list[Loop] = []

    def loop(call: Callable[[], object], every: float) -> Loop:
        loops.append(Loop(call, every))
        return loops[-1]

    return Exporters(lambda: {"n": 7}, loop, Tracing(), FakeReactor()), loops


def retire(made: Exporters, names: list[str]) -> None:
    """Until their threads have ended."""
    leaving = [made.threads[name] for name in names if name in made.threads]
    made.retire(names)
    assert all(thread.gone.wait(10) for thread in leaving)


def test_each_is_given_the_numbers_at_its_interval() -> None:
    made, loops = exporters()
    exporter = made.prepare(part())
    assert isinstance(exporter, Recorder)
    made.start(part(), exporter)
    assert [loop.every for loop in loops] == [3.0]
    loops[0].call()
    wait_until(lambda: exporter.given == [{"n": 7}])
    retire(made, ["one"])
    assert (loops[0].stopped, exporter.closed.is_set(), made.threads) == (True, True, {})


def test_one_that_is_stopped_exports_once_more() -> None:
    made, _ = exporters()
    exporter = made.prepare(part())
    assert isinstance(exporter, Recorder)
    made.start(part(), exporter)
    retire(made, ["one", "nobody"])
    assert exporter.given == [{"n": 7}]


def test_an_exporter_that_can_not_be_made_is_an_error_of_configuration() -> None:
    made, _ = exporters()
    with pytest.raises(ConfigError, match=r"exporters\.one: there is no such host"):
        made.prepare(part(Broken))


def test_a_reload_stops_what_goes_and_then_starts_what_comes() -> None:
    made, loops = exporters()
    old, new = made.prepare(part()), made.prepare(part())
    assert isinstance(old, Recorder)
    made.start(part(), old)
    done: list[object] = []
    ended = made.threads["one"].gone
    parts = Parts({"exporters": made}, PluginMounts())
    parts.replace("exporters", {"one": part()}, {"one": new}, []).addCallback(done.append)
    assert ended.wait(10)
    wait_until(lambda: bool(done))
    running = {name: thread.exporter for name, thread in made.threads.items()}
    assert (done, old.closed.is_set(), running) == ([[]], True, {"one": new})
    assert list(made.parts) == ["one"]
    assert [loop.stopped for loop in loops] == [True, False]

    def offered() -> int:
        row = made.status()["one"]
        return int(row["exported"] + row["skipped"])

    wait_until(lambda: offered() == 3, 10, "the counts of both: two, and one")
    retire(made, ["one"])


def test_one_that_can_not_be_started_by_a_reload_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = exporters()
    new, done = made.prepare(part()), list[object]()

    def no_more(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("hub.parts.exporters.ExportThread", no_more)
    parts = Parts({"exporters": made}, PluginMounts())
    parts.replace("exporters", {"one": part()}, {"one": new}, []).addCallback(done.append)
    assert done == [["exporters.one: RuntimeError: can't start new thread"]]
    assert made.parts == {}


def test_one_is_closed_though_there_are_no_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    made, loops = exporters()
    exporter = made.prepare(part())
    assert isinstance(exporter, Recorder)
    made.start(part(), exporter)
    monkeypatch.setattr(made, "_snapshot", lambda: 1 / 0)
    retire(made, ["one"])
    assert (loops[0].stopped, exporter.closed.is_set(), exporter.given) == (True, True, [{"n": 7}])


def test_the_first_numbers_are_there_before_the_first_interval_is_over() -> None:
    made, _ = exporters()
    exporter = made.prepare(part())
    assert isinstance(exporter, Recorder)
    made.start(part(), exporter)
    wait_until(lambda: exporter.given)
    retire(made, ["one"])
