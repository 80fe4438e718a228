"""``hubbub graph`` without collectd: from the hub's own history."""

from __future__ import annotations

import os
import shutil
import struct
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

import pytest

from hub.errors import Unavailable
from hub.monitoring.graph_history import ATTEMPTS, copy, lines, read
from hub.monitoring.rrd import run as rrdtool
from hub.monitoring.web.history import Sample, add_samples
from hub.monitoring.web.history_file import HistoryFile
from tests.support import require, require_root
from tests.unit.command import Run, runner

NOW = 1_000_000_000
CONFIGURATION = """
[hub]
state_dir = "state"
[consumers.log]
type = "log"
"""
WEB = '[servers.web]\ntype = "web"\n'


def row(time: int, backlog: int, highest: int) -> list[Sample]:
    """Two looks at one queue in a second, ``backlog`` on average."""
    return [(time, "a/b", highest, 1.0, 3, 2), (time, "a/b", 2 * backlog - highest, 1.0, 3, 2)]


def put(file: HistoryFile, *rows: list[Sample]) -> None:
    file.transact(lambda tables: add_samples(tables, [sample for samples in rows for sample in samples]))


def keep(path: Path, *rows: list[Sample]) -> None:
    path.parent.mkdir(exist_ok=True)
    with closing(HistoryFile(path)) as file:
        put(file, *rows)


def test_the_span_is_read_by_the_finest_resolution_that_reaches_so_far(tmp_path: Path) -> None:
    keep(tmp_path / "history.db", row(NOW - 600, 50, 90), row(NOW - 2, 5, 9))
    document = read(tmp_path, ["web"], "a/b", 3, NOW)
    assert (document["step"], document["start"]) == (1, NOW - 2)
    assert document["consumers"]["a/b"] == {
        "backlog": [5, None, None],
        "backlog_max": [9, None, None],
        "rate_in": [3, None, None],
        "rate_out": [2, None, None],
    }
    document = read(tmp_path, ["web"], "a/b", 7 * 86400, NOW)
    assert document["step"] == 600
    assert 90 in document["consumers"]["a/b"]["backlog_max"]


def test_average_and_peak_are_drawn_of_different_numbers(tmp_path: Path) -> None:
    require(shutil.which("rrdtool") is not None, "rrdtool")
    keep(tmp_path / "history.db", row(NOW - 2, 5, 9), row(NOW - 1, 7, 8))
    made = lines(tmp_path, read(tmp_path, ["web"], "a/b", 3, NOW), "a/b")
    assert made.catch_up is None
    definitions = [f"DEF:a={made.backlog}:AVERAGE", f"DEF:p={made.peak}:MAX"]
    definitions += [f"DEF:i={made.rate_in}:AVERAGE", f"DEF:o={made.rate_out}:AVERAGE"]
    wanted = ["PRINT:a:MAX:%lf", "PRINT:p:MAX:%lf", "PRINT:i:MAX:%lf", "PRINT:o:MAX:%lf"]
    span = ["--start", str(NOW - 2), "--end", str(NOW)]
    told = rrdtool("graph", str(tmp_path / "x.png"), *span, *definitions, *wanted, "LINE1:a#000000")
    assert [float(line) for line in told.splitlines()[1:]] == [7, 9, 3, 2]


def test_the_history_of_any_web_server_will_do(tmp_path: Path) -> None:
    keep(tmp_path / "history.db", [(NOW - 1, "other", 1, 1.0, 1, 1)])
    keep(tmp_path / "history-second.db", row(NOW - 1, 5, 5))
    assert read(tmp_path, ["web", "second"], "a/b", 1, NOW)["consumers"].keys() == {"a/b"}
    with pytest.raises(Unavailable, match="no numbers of 'c'; it has those of: a/b, other"):
        read(tmp_path, ["web", "second"], "c", 1, NOW)


def test_what_is_not_there_is_told_and_no_file_is_made(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="none is configured"):
        read(tmp_path, [], "a", 1, NOW)
    with pytest.raises(Unavailable, match=r"there is no history in .* yet"):
        read(tmp_path, ["web"], "a", 1, NOW)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_is_told_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    path.write_bytes(b"no database" * 100)
    path.chmod(0o600)
    with pytest.raises(Unavailable, match=r"the history .*history\.db can't be read"):
        read(tmp_path, ["web"], "a", 1, NOW)
    assert path.read_bytes() == b"no database" * 100


def test_a_history_that_the_hub_has_open_is_read_with_what_is_only_in_its_log(tmp_path: Path) -> None:
    file = HistoryFile(tmp_path / "history.db")
    put(file, row(NOW - 1, 5, 9))
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert len(before) == 3
    assert read(tmp_path, ["web"], "a/b", 2, NOW)["consumers"]["a/b"]["backlog"] == [5, None]
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    put(file, row(NOW, 6, 6))
    assert read(tmp_path, ["web"], "a/b", 2, NOW)["consumers"]["a/b"]["backlog"] == [5, 6]
    file.close()


@pytest.mark.parametrize("changes", [1, ATTEMPTS])
def test_a_file_that_changes_while_it_is_copied_is_copied_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: int
) -> None:
    path, left = tmp_path / "history.db", [None] * changes
    keep(path, row(NOW - 1, 5, 9))
    (tmp_path / "copy").mkdir()
    copyfileobj = shutil.copyfileobj

    def copied(read_from: BinaryIO, write_to: BinaryIO) -> None:
        copyfileobj(read_from, write_to)
        if left:
            left.pop()
            with path.open("ab") as file:
                file.write(b"more")

    monkeypatch.setattr("shutil.copyfileobj", copied)
    if changes < ATTEMPTS:
        made = copy(path, tmp_path / "copy")
        assert made is not None
        assert made.read_bytes() == path.read_bytes()
    else:
        with pytest.raises(OSError, match="changes all the time"):
            copy(path, tmp_path / "copy")


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    keep(tmp_path / "elsewhere" / "history.db", row(NOW - 1, 5, 9))
    (tmp_path / "history.db").symlink_to(tmp_path / "elsewhere" / "history.db")
    with pytest.raises(Unavailable, match="can't be read"):
        read(tmp_path, ["web"], "a/b", 1, NOW)


def test_root_reads_it_as_its_owner_and_stays_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require_root("becomes another user")
    access, python = os.access, (os.__file__, sys.executable)
    # The Python of the tests may be in root's home. All that the reading process needs is imported already.
    monkeypatch.setattr("os.access", lambda path, mode: path in python or access(path, mode))
    state, owner = tmp_path / "state", 65534
    keep(state / "history.db", row(NOW - 1, 5, 5))
    for path in (state, *state.iterdir()):
        os.chown(path, owner, owner)
    tmp_path.chmod(0o700)  # as /var/lib/private: the owner can't walk to what is in it
    document = read(state, ["web"], "a/b", 1, NOW)
    assert document["consumers"].keys() == {"a/b"}
    assert {path.stat().st_uid for path in state.iterdir()} == {owner}
    assert os.geteuid() == 0

    def told(*_: object) -> None:
        raise OSError(f"as {os.geteuid()}")

    monkeypatch.setattr("hub.monitoring.graph_history.copy", told)
    with pytest.raises(Unavailable, match=f"as {owner}$"):
        read(state, ["web"], "a/b", 1, NOW)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    require(shutil.which("rrdtool") is not None, "rrdtool")
    (tmp_path / "hub.conf").write_text(CONFIGURATION + WEB)
    monkeypatch.chdir(tmp_path)
    command = runner(monkeypatch, capsys)
    return lambda *arguments: command("graph", *arguments, "--rrd-dir", str(tmp_path / "rrd"))


def test_where_collectd_has_nothing_the_history_is_drawn(run: Run, tmp_path: Path) -> None:
    now = int(time.time())
    keep(tmp_path / "state" / "history.db", *(row(now - n, n, n) for n in range(60, 0, -1)))
    for number, options in enumerate(((), ("--from", "history"))):
        code, out, err = run("a/b", "-o", f"{number}.png", "--since", "1m", *options)
        assert (code, err) == (0, "")
        assert out == f"{number}.png, {number}-rates.png: a/b, the last 1m, from the hub's own history\n"
        for name in (f"{number}.png", f"{number}-rates.png"):
            assert struct.unpack("!II", (tmp_path / name).read_bytes()[16:24]) == (900, 300)


def test_where_neither_has_it_both_are_told(run: Run, tmp_path: Path) -> None:
    keep(tmp_path / "state" / "history.db", row(int(time.time()) - 1, 1, 1))
    code, _, err = run("nobody")
    assert (code, "collectd has no numbers of 'nobody'" in err, "it has those of: a/b" in err) == (69, True, True)
    assert list(tmp_path.glob("*.png")) == []


def test_who_asks_for_collectd_or_for_a_host_is_not_shown_this_hubs_history(run: Run, tmp_path: Path) -> None:
    keep(tmp_path / "state" / "history.db", row(int(time.time()) - 1, 1, 1))
    for options in (("--from", "collectd"), ("--hostname", "elsewhere")):
        code, _, err = run("a/b", *options)
        assert (code, "collectd has no numbers" in err, "history" in err) == (69, True, False)


def test_a_configuration_without_a_web_server_is_told_what_is_missing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "hub.conf").write_text(CONFIGURATION)
    code, _, err = run("log", "--from", "history")
    assert (code, '[servers.web] with type = "web"' in err) == (69, True)
