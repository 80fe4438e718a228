"""What a bus is told after the work, and what the disk has then: after a kill, with history, and if it is damaged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hub.queue.policy import Window
from tests.contracts.confirming import POLICY, Confirming


def test_where_messages_are_kept_settled_is_told_after_the_commit_of_the_message(tmp_path: Path) -> None:
    hub = Confirming(tmp_path, keep=60.0)
    tokens = hub.deliver(2)
    hub.finish()
    assert hub.confirmed == []
    hub.commit()
    assert hub.confirmed == tokens
    hub.close()


@pytest.mark.parametrize("durable", [True, False])
def test_after_a_kill_the_bus_has_what_was_not_told(tmp_path: Path, durable: bool) -> None:
    """A queue on the disk has it too: it is handled twice. So is what it has, and was told of before the commit."""
    hub = Confirming(tmp_path, durable=durable)
    hub.deliver(3)
    hub.commit()
    hub.finish(1)
    assert hub.confirmed == [1]
    hub.kill()
    hub = Confirming(tmp_path, durable=durable)
    again = hub.deliver(2, first=1)
    while hub.mine.stats().counters.backlog:
        hub.finish()
    hub.commit()
    assert hub.confirmed == again
    assert hub.mine.stats().counters.finished == (5 if durable else 2)  # the hub's three, and the bus's two
    hub.close()


def test_what_was_told_before_any_commit_is_done_whatever_the_disk_has_of_it(tmp_path: Path) -> None:
    hub = Confirming(tmp_path)
    tokens = hub.deliver(2)
    tokens += hub.deliver(1, "both.k", first=2)
    hub.finish()
    assert hub.confirmed == tokens[:2]  # and not of the one that another queue has
    hub.kill()
    hub = Confirming(tmp_path)
    assert (hub.mine.stats().counters.backlog, hub.other.stats().counters.backlog) == (0, 0)
    assert hub.deliver(1, "both.k", first=2) == [1]
    hub.finish()
    hub.finish(1, hub.other)
    assert hub.confirmed == [1]
    hub.close()


def test_damage_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Confirming(tmp_path, policy=replace(POLICY, window=Window(2, 1 << 20)))
    tokens = [*hub.deliver(2), *hub.deliver(2, first=2)]
    hub.commit()
    hub.finish()
    monkeypatch.setattr(hub.store, "read", lambda *_: [])
    assert hub.mine.take(1, timeout=0) is None
    hub.commit()
    assert hub.confirmed == tokens
    assert hub.mine.stats().counters.dropped_damaged == 2
    hub.close()
