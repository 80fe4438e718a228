"""What a store is told of messages in hand: what every store promises. A new one joins in tests/contracts/stores.py."""

from __future__ import annotations

from hub.store import Store
from tests.contracts.stores import Books


def test_a_worker_may_note_what_it_has_in_hand(store: Store, books: Books) -> None:
    slot = store.slot("q")
    slot.hold(0, 5)
    slot.drop()
