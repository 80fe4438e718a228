"""Messages for a backend that was removed are dropped by an order, on a real socket."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.errors import OrderRefused
from hub.publisher import Publisher
from hub.store import Outgoing
from tests.unit.control_hub import ControlledHub
from tests.unit.doubles import message
from tests.unit.test_publisher import StoreWithOutbox


@pytest.fixture
def store(hub: ControlledHub) -> StoreWithOutbox:
    """A store with messages for a backend that is not configured."""
    kept = StoreWithOutbox()
    kept.kept_out = {number: Outgoing("former", message(number)) for number in range(1, 251)}
    backends: Any = {"bus": hub.backend}
    hub.store, hub.publisher = kept, Publisher(backends, hub.reactor, kept, lambda: 0.0)
    hub.thread.call(hub.publisher.open)
    return kept


def test_all_are_dropped_and_the_order_is_in_the_audit_log(hub: ControlledHub, store: StoreWithOutbox) -> None:
    assert hub.client().post("/drop-outbox", {"backend": "former"}) == {"dropped": 250}
    assert (store.kept_out, hub.backend.published) == ({}, [])
    (entry,) = map(json.loads, hub.path.with_name("audit.log").read_text().splitlines())
    assert (entry["action"], entry["order"], entry["outcome"]) == ("drop-outbox", {"backend": "former"}, "done")


@pytest.mark.parametrize(
    ("order", "text"),
    [
        ({"backend": "bus"}, "backend 'bus' is configured"),
        ({"backend": "x"}, "no message waits for a removed backend 'x'; some wait for: former"),
        ({}, "missing required field `backend`"),
    ],
)
def test_what_can_not_be_dropped_is_refused(
    hub: ControlledHub, store: StoreWithOutbox, order: dict[str, str], text: str
) -> None:
    with pytest.raises(OrderRefused, match=text):
        hub.client().post("/drop-outbox", order)
    assert len(store.kept_out) == 250
