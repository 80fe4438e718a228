"""A heap whose items go from anywhere, against a sorted list."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.queue.lazy_heap import LazyHeap

STEPS = st.lists(st.tuples(st.sampled_from(["push", "pop", "forget", "remove"]), st.integers(0, 9)), max_size=80)


@given(STEPS)
def test_what_has_gone_is_not_found_again(steps: list[tuple[str, int]]) -> None:
    there: dict[int, tuple[float, int, int]] = {}

    def is_gone(item: int) -> bool:
        return item not in there

    heap: LazyHeap[int] = LazyHeap(is_gone)
    for item, (step, number) in enumerate(steps):
        if step == "push":
            there[item] = (number, item, item)
            heap.push(*there[item])
        elif there and step == "pop":
            assert heap.pop() == min(there.values())[2]
            del there[min(there.values())[2]]
        elif there and step == "forget":
            del there[sorted(there)[number % len(there)]]
            heap.forget()
        elif step == "remove":
            removed = heap.remove(lambda one, number=number: one % 10 == number)  # type: ignore[misc]
            assert sorted(removed) == [one for one in sorted(there) if one % 10 == number]
            for one in removed:
                del there[one]
        assert (len(heap), heap.first) == (len(there), min(there.values(), default=None))
        assert len(heap._rows) <= max(1, 2 * len(there))
