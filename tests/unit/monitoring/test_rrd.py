"""RRD files made of columns, and how rrdtool is run."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hub.errors import Unavailable
from hub.monitoring import rrd
from tests.support import require

START = 1_000_000_000


@pytest.fixture
def rrdtool() -> None:
    require(shutil.which("rrdtool") is not None, "rrdtool")


def fetched(path: Path, function: str, start: int, end: int) -> dict[int, list[str]]:
    lines = rrd.run("fetch", str(path), function, "--start", str(start), "--end", str(end)).splitlines()
    rows = (line.split(": ") for line in lines if ": " in line)
    return {int(time): [f"{float(value):g}" for value in values.split()] for time, values in rows}


@pytest.mark.usefixtures("rrdtool")
@pytest.mark.parametrize("step", [1, 10])
def test_each_row_is_at_its_time_and_what_is_not_known_stays_so(tmp_path: Path, step: int) -> None:
    path = tmp_path / "a.rrd"
    rrd.make(path, step, START, {"backlog": [1.5, None, 3.0], "rate_in": [None, None, 7.25]})
    found = fetched(path, "AVERAGE", START, START + 3 * step - 1)
    assert list(found.items())[:3] == [
        (START + step, ["1.5", "nan"]),
        (START + 2 * step, ["nan", "nan"]),
        (START + 3 * step, ["3", "7.25"]),
    ]
    assert fetched(path, "MAX", START, START + 3 * step - 1) == found


@pytest.mark.usefixtures("rrdtool")
def test_more_rows_than_go_into_one_command_all_arrive(tmp_path: Path) -> None:
    count = 2 * rrd.PORTION + 1
    rrd.make(tmp_path / "a.rrd", 1, START, {"backlog": [float(n) for n in range(count)]})
    found = fetched(tmp_path / "a.rrd", "AVERAGE", START, START + count - 1)
    assert [found[START + 1 + n] for n in range(count)] == [[f"{n:g}"] for n in range(count)]


@pytest.mark.usefixtures("rrdtool")
def test_times_are_those_of_rrdtool_and_others_are_refused() -> None:
    assert rrd.moments(str(START), f"{START + 60}") == (START, START + 60)
    start, end = rrd.moments("now-90s", "now")
    assert end - start == 90
    with pytest.raises(Unavailable, match="rrdtool: start time: unparsable time: bogus"):
        rrd.moments("bogus", "now")


def test_without_rrdtool_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="rrdtool is not installed"):
        rrd.run("graph")


def test_a_colon_in_the_name_of_a_file_is_escaped() -> None:
    assert rrd.place(Path("/a:b/c\\d.rrd"), "backlog") == "/a\\:b/c\\\\d.rrd:backlog"
