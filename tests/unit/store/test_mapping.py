"""The map of the store's file, where addresses are few."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import lmdb
import pytest

from hub.errors import ConfigError
from hub.store import RoutedBatch, Share
from hub.store.durable import DurableStore
from hub.store.mapping import LEAST, MAP_SIZE, larger
from hub.store.tables import FILE, Tables
from tests.unit.doubles import RecordingLog, message

LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]), -1))
from pathlib import Path
from hub.store.tables import FILE, Tables
tables = Tables(Path(sys.argv[1]), sync=False)
print(tables._environment.info()["map_size"])
"""


def mapped(tables: Tables) -> int:
    return int(tables._environment.info()["map_size"])


@pytest.mark.parametrize("limit", [500_000_000 << 10, 8 << 30])
def test_it_is_smaller_where_there_is_less(tmp_path: Path, limit: int) -> None:
    """A 39-bit address space, and a process that may have few."""
    command = [sys.executable, "-c", LIMITED, str(tmp_path), str(limit)]
    size = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert limit // 4 < size < limit


def test_it_is_large_where_there_is_room(tmp_path: Path) -> None:
    tables = Tables(tmp_path, sync=False)
    assert mapped(tables) == MAP_SIZE
    tables.close()


def test_it_grows_when_it_is_full_and_nothing_is_told(tmp_path: Path) -> None:
    store = DurableStore(tmp_path, RecordingLog(), threaded=False, sync=False, map_size=1 << 20)
    told: list[str] = []
    store.watch(lambda state, reason: told.append(state), lambda first, outbox: None)
    store.open("q")
    for position in range(30):
        batch = [message(position, body=b"x" * 100_000)]
        store.append(RoutedBatch(batch, [Share("q", position, None, batch)]), None)
        assert store.writer.step()
    assert told == []
    assert mapped(store.tables) > 3 << 20
    runs = store.read("q", 0, 100, 1 << 30)
    assert sum(run.count for run in runs) == 30
    assert store.close()


def test_a_reader_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its values are views of the map."""
    monkeypatch.setattr("hub.store.tables.READERS_TIMEOUT", 0.01)
    tables = Tables(tmp_path, sync=False, map_size=1 << 20)
    with tables.reading():
        assert not tables.grow_map()
    before = mapped(tables)
    assert tables.grow_map()
    assert mapped(tables) == 2 * before
    tables.close()


def test_there_is_an_end_to_it() -> None:
    size = LEAST
    while (wanted := larger(size)) is not None:
        size = wanted
    assert 1 << 40 < size < 1 << 60


FORMATTED = """
import os, sys
os.environ["LMDB_DEFAULT_LIB_VERSION"] = "1"
from pathlib import Path
from hub.store.tables import FILE, Tables
Tables(Path(sys.argv[1]), sync=False).close()
"""


def data_version(path: Path) -> int:
    """The number behind LMDB's magic in the first page, which both formats have at one of two places."""
    with path.open("rb") as file:
        page = file.read(64)
    return int.from_bytes(page[(at := page.index(b"\xde\xc0\xef\xbe")) + 4 : at + 8], "little")


def test_the_format_on_the_disk_is_that_of_lmdb_0_9_whatever_the_environment_says(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", FORMATTED, str(tmp_path)], check=True)
    assert data_version(tmp_path / FILE) == 1


def test_a_file_of_the_other_format_is_refused_and_stays(tmp_path: Path) -> None:
    with lmdb.open(str(tmp_path / FILE), subdir=False, lib_version=1) as environment:
        environment.sync(True)
    content = (tmp_path / FILE).read_bytes()
    assert data_version(tmp_path / FILE) == 3
    with pytest.raises(ConfigError, match="can't be opened"):
        DurableStore(tmp_path, RecordingLog(), threaded=False)
    assert (tmp_path / FILE).read_bytes() == content
