"""Records that contradict themselves, though their checksum is right."""

from __future__ import annotations

from typing import Any

import pytest

from hub.stats.counters import Counters
from hub.store import records as r
from hub.store.fsck.validation import contradiction, read_page
from hub.store.records import QueueRecord


def a_record(**changes: Any) -> QueueRecord:
    values: dict[str, Any] = {"counters": Counters(), "unread_bytes": 0, "next_letter": 3, "letters": 1}
    values |= {"next_position": 20, "floor": 5, "ranges": [(7, 9), (11, 12)], "lost_letters": 1}
    return QueueRecord(number=1, name="q", created_at=1.0, **{**values, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"floor": 7},
        {"floor": -1},
        {"floor": 8},
        {"next_position": 11},
        {"ranges": [(7, 9), (9, 10)]},
        {"ranges": [(7, 7)]},
        {"ranges": [(11, 12), (7, 9)]},
        {"counters": Counters(finished=-1)},
        {"letters": 3},
        {"letters": -1},
    ],
)
def test_a_record_that_contradicts_itself(changes: dict[str, Any]) -> None:
    assert contradiction(a_record()) == ""
    assert contradiction(a_record(**changes)) != ""


@pytest.mark.parametrize(
    "broken",
    [
        r.Page(1, 1.0, [], ["1", "2"], ["t"], [b"1"], [{}], [1.0], ["bus"]),
        r.Page(1, 1.0, [], ["1", "2", "3"], ["t", "t"], [b"1", b"2", b"3"], [{}], [1.0], ["bus"]),
        r.Page(1, 1.0, [(1, 0, [1])], ["1"], ["t"], [b"1"], [{}], [1.0], ["bus"]),
        r.Page(1, 1.0, [(1, 0, [-1])], ["1"], ["t"], [b"1"], [{}], [1.0], ["bus"]),
    ],
)
def test_a_page_whose_parts_do_not_fit_is_damaged(broken: r.Page) -> None:
    with pytest.raises(r.DamagedError):
        read_page(bytes(r.seal(r.PAGE, broken)))
