"""A queue is named by a site and a name: on the disk, and in all that the store is asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.store.durable import DurableStore
from hub.store.queue_key import QueueKey
from tests.contracts.stores import Books, batch
from tests.unit.doubles import RecordingLog

PART = st.text("abcZ09_.- ", min_size=1, max_size=5)


@given(st.just("") | PART, PART)
def test_a_key_is_what_its_text_says(site: str, name: str) -> None:
    key = QueueKey(site, name)
    assert QueueKey.of(str(key)) == key == QueueKey.of(key)


def test_without_a_site_the_text_is_the_name() -> None:
    assert (str(QueueKey("", "archive")), str(QueueKey("stg", "archive"))) == ("archive", "stg/archive")


@pytest.mark.parametrize("text", ["", "/", "a/", "/a", "a/b/c", "a//b"])
def test_what_names_no_queue_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the name of a queue"):
        QueueKey.of(text)
    store = DurableStore(tmp_path, RecordingLog(), sync=False)
    with pytest.raises(ValueError, match="the name of a queue"):
        store.open(text)
    store.close()


def test_queues_of_one_name_at_two_sites_are_two_also_after_a_restart(tmp_path: Path) -> None:
    keys = (QueueKey("", "archive"), QueueKey("stg", "archive"), QueueKey("dev", "archive"))
    store = DurableStore(tmp_path, RecordingLog(), sync=False)
    for count, key in enumerate(keys, 1):
        store.append(batch(Books(store, str(key)), 0, count), None)
    assert store.flush(10)
    store.close()
    store = DurableStore(tmp_path, RecordingLog(), sync=False)
    assert sorted(store.queues()) == ["archive", "dev/archive", "stg/archive"]
    assert [store.open(key).next_position for key in keys] == [1, 2, 3]
    assert [store.open(str(key)).next_position for key in keys] == [1, 2, 3]
    store.rename("stg/archive", QueueKey("", "other"))
    store.delete(keys[2])
    assert store.flush(10)
    store.close()
    store = DurableStore(tmp_path, RecordingLog(), sync=False)
    assert {name: store.open(name).next_position for name in store.queues()} == {"archive": 1, "other": 2}
    store.close()
