"""Whatever becomes of messages, and in whatever order: a bus is told of each once, and not before it is settled."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contracts.confirming import POLICY, Confirming
from tests.unit.doubles import letter_of

OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["deliver", "again", "finish", "other", "retry", "bury", "purge", "commit", "wait"]),
        st.integers(1, 5),
    ),
    max_size=40,
)


@pytest.mark.parametrize("durable", [True, False])
@pytest.mark.parametrize("keyed", [False, True])
@given(operations=OPERATIONS)
@settings(max_examples=25, deadline=None)
def test_nothing_is_told_early_twice_or_never(
    tmp_path_factory: pytest.TempPathFactory, durable: bool, keyed: bool, operations: list[tuple[str, int]]
) -> None:
    policy = replace(POLICY, key_of=(lambda message: int(message.id[1:]) % 3) if keyed else None)
    hub = Confirming(tmp_path_factory.mktemp("hub"), durable=durable, policy=policy, deduplicate=True)
    ids: dict[int, str] = {}
    number = 0
    for operation, count in operations:
        if operation in ("deliver", "again"):
            first = number if operation == "deliver" else max(0, number - count)
            hub.bus.pause()
            for one in range(first, first + count):
                ids[hub.bus.deliver(("x.k", "both.k", "nobody's")[one % 3], b"{}", id=f"m{one}")] = f"m{one}"
            hub.bus.resume()
            number = max(number, first + count)
        elif operation == "commit":
            hub.commit()
        elif operation == "wait":
            hub.reactor.advance(2.0)
        elif operation == "purge":
            hub.mine.purge()
        else:
            work(hub, operation, count)
        told_too_early(hub, ids)
    for _ in range(200):
        hub.reactor.advance(2.0)
        work(hub, "finish", 9)
        work(hub, "other", 9)
        if not hub.mine.stats().counters.backlog + hub.other.stats().counters.backlog:
            break
    hub.commit()
    assert sorted(hub.confirmed) == sorted(ids)
    assert hub.unconfirmed == 0
    hub.close()


def work(hub: Confirming, operation: str, count: int) -> None:
    queue = hub.other if operation == "other" else hub.mine
    delivery = queue.take(count, timeout=0)
    if delivery is None:
        return
    if operation == "retry":
        queue.retry(delivery, 1.0, failed=True)
    elif operation == "bury":
        queue.bury(delivery, True, letter_of(delivery))
    else:
        queue.finish(delivery, len(delivery.messages))
    if delivery.left:
        queue.give_back(delivery)


def told_too_early(hub: Confirming, ids: dict[int, str]) -> None:
    waiting = {message.id for queue in (hub.mine, hub.other) for _, _, message, _ in queue.inspect.peek(10_000)}
    assert not {ids[token] for token in hub.confirmed} & waiting
    assert len(set(hub.confirmed)) == len(hub.confirmed)
