"""What holds of the tables after every commit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from hub.store import records as r
from hub.store import tables as t
from hub.store.fsck.check import Check
from hub.store.tables import Tables
from tests.unit.store.rig import rows


def check(tables: Tables, wanted: Mapping[str, Sequence[int]], keeps: bool) -> None:
    """:param wanted: by queue, the positions that must be on the disk; pages that hold none must be gone.
    :param keeps: such pages may be there for a while.
    """
    records = [r.unseal(r.QUEUE, r.queues, value) for value in rows(tables, "queues").values()]
    numbers = {record.number: record.name for record in records}
    index = {t.place_of(key): t.span_of(value) for key, value in rows(tables, "index").items()}
    held: dict[str, set[int]] = {name: set() for name in wanted}
    for (queue, start), (_, count) in index.items():
        mine = set(range(start, start + count))
        assert not mine & held[numbers[queue]], "two pages hold the same position"
        assert mine & set(wanted[numbers[queue]]), f"a page of {numbers[queue]} at {start} that nobody needs"
        held[numbers[queue]] |= mine
    assert {name: set(open_) - held[name] for name, open_ in wanted.items() if set(open_) - held[name]} == {}
    owners = Counter(page for page, _ in index.values())
    refs = {t.number_of(key): t.refs_of(value)[0] for key, value in rows(tables, "refs").items()}
    pages = {t.number_of(key): r.unseal(r.PAGE, r.pages, value) for key, value in rows(tables, "pages").items()}
    spent = {t.number_of(key) for key in rows(tables, "spent")}
    assert keeps or not spent
    assert refs == owners
    assert set(pages) == set(owners) | spent
    assert not spent & set(owners)
    assert all(page.number == number for number, page in pages.items())
    tried = {t.place_of(key) for key in rows(tables, "tries")}
    assert {(numbers[queue], at) for queue, at in tried if at not in wanted[numbers[queue]]} == set()
    with tables.reading() as transaction:
        assert list(Check(tables, transaction).problems()) == []
