"""What waits for a backend that was removed can be dropped."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.errors import HubError, NotFound
from hub.publisher import Publisher
from hub.store import Outgoing
from tests.unit.doubles import FakeReactor, message, messages, most, outbox_of
from tests.unit.store.bench import Bench
from tests.unit.test_publisher import Desk, counts


def test_what_waits_for_a_removed_backend_is_dropped_in_steps_and_nothing_else(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.unsent.DROPPED", 2)
    desk = Desk()
    desk.publisher.open()
    desk.publisher.hold(["wire"], 5.0)
    desk.commit(1, 2, 3, backend="wire")
    desk.commit(4)
    del desk.backends["wire"]
    desk.publisher.open()
    desk.buses["bus"].away = "the broker restarts"
    desk.commit(5)
    steps = desk.publisher.drop("wire")
    assert next(steps) == 2
    desk.commit(6, backend="wire")  # it was on its way when the backend was removed
    assert list(steps)[-1] == 4
    assert list(desk.store.kept_out) == [5]
    assert (desk.sent(), desk.sent("wire")) == (["4"], [])
    assert counts(desk.publisher) == (1, 4)
    assert desk.publisher.status()["outboxes_without_backend"] == {}
    assert "4 messages for backend wire, which is not configured, dropped by an order" in caplog.text
    desk.backends["wire"] = desk.buses["wire"]
    desk.publisher.open()
    desk.commit(7, backend="wire")
    assert desk.sent("wire") == ["7"]


def test_only_what_waits_for_a_removed_backend_can_be_dropped() -> None:
    desk = Desk()
    desk.commit(1, backend="former")
    desk.publisher.open()
    with pytest.raises(HubError, match="backend 'bus' is configured"):
        desk.publisher.drop("bus")
    with pytest.raises(NotFound, match="no message waits for a removed backend 'x'; some wait for: former"):
        desk.publisher.drop("x")
    assert list(desk.store.kept_out) == [1]


def test_a_drop_ends_where_the_backend_is_configured_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.unsent.DROPPED", 1)
    desk = Desk()
    wire = desk.backends.pop("wire")
    desk.commit(1, 2, 3, backend="wire")
    desk.publisher.open()
    steps = desk.publisher.drop("wire")
    assert next(steps) == 1
    desk.backends["wire"] = wire
    desk.publisher.open()
    assert list(steps) == []
    desk.reactor.advance(0)
    assert desk.sent("wire") == ["2", "3"]
    assert (counts(desk.publisher), list(desk.store.kept_out)) == ((2, 1), [])


def test_a_late_confirmation_of_what_was_dropped_counts_no_more() -> None:
    desk = Desk()
    desk.buses["wire"].confirms_late = True
    desk.publisher.open()
    desk.commit(1, backend="wire")
    assert len(desk.buses["wire"].unconfirmed) == 1
    desk.publisher.hold(["wire"], 5.0)
    del desk.backends["wire"]
    desk.publisher.open()
    assert list(desk.publisher.drop("wire")) == [1]
    desk.buses["wire"].confirm_published(1)
    assert counts(desk.publisher) == (0, 1)
    assert desk.publisher.outboxes["wire"].status()["outbox_waiting"] == 0


def test_what_was_dropped_is_gone_from_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.unsent.DROPPED", 3)
    bench = Bench(tmp_path)
    bench.queue()
    bench.deliver(messages(1))
    out = [Outgoing("former" if number % 2 else "bus", message(number)) for number in range(20)]
    bench.queues["q"].finish(bench.take(1), 1, out)
    bench.step()
    publisher = Publisher({}, FakeReactor(), bench.store, bench.clock.seconds, most)
    publisher.open()
    assert publisher.status()["outboxes_without_backend"] == {"bus": 10, "former": 10}
    steps = publisher.drop("former")
    next(steps)
    bench.step()  # a commit in between
    assert list(steps)[-1] == 10
    assert publisher.status()["outboxes_without_backend"] == {"bus": 10}
    bench.step()
    bench.crash()
    assert len(outbox_of(bench.store, "bus")) == 10
    assert bench.store.outbox_counts()[0] == {"bus": 10}
    bench.store.close()
