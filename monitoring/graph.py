"""``hubbub graph``: a consumer's backlog, rates and time to catch up, from collectd's RRD files, drawn by rrdtool."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import click

from hub.cli.common import ConfigReader, config_option
from hub.errors import Unavailable
from hub.units import parse_duration
from monitoring.collectd_values import identifier
from monitoring.png import stack

INK, GRID, BACK = "#24292f", "#d0d7de", "#ffffff"
BACKLOG, PEAK, IN, OUT, LEFT = "#9ec5fe", "#0a58ca", "#d9480f", "#2b8a3e", "#862e9c"
SHARES = (0.46, 0.29, 0.25)
"""How the height is divided among the three panels."""


@dataclass(frozen=True)
class Files:
    """A consumer's RRD files. ``directory`` is collectd's ``HOST/PLUGIN-INSTANCE``."""

    directory: Path
    consumer: str

    def source(self, kind: str, suffix: str) -> str:
        """rrdtool's notation for a file's name, in which a colon has a meaning."""
        return str(self.directory / f"{kind}-{self.consumer}_{suffix}.rrd").replace("\\", "\\\\").replace(":", "\\:")


def find(rrd_dir: Path, hostname: str | None, plugin: str, consumer: str) -> Files:
    """:raises Unavailable: there are none, with the names of those that there are."""
    name = identifier(consumer)
    suffix = "_backlog.rrd"
    found = {path.parent: path for path in rrd_dir.glob(f"{hostname or '*'}/{plugin}-*/queue_length-{name}{suffix}")}
    if len(found) > 1:
        places = ", ".join(sorted(path.parent.name for path in found))
        raise Unavailable(f"more than one host has a consumer {consumer!r}: name one with --hostname: {places}")
    if found:
        return Files(next(iter(found)), name)
    there = {path.name.removeprefix("queue_length-") for path in rrd_dir.glob(f"*/{plugin}-*/queue_length-*{suffix}")}
    names = ", ".join(sorted(name.removesuffix(suffix) for name in there)) or "none"
    raise Unavailable(f"collectd has no numbers of {consumer!r} under {rrd_dir}; it has those of: {names}")


def backlog(files: Files) -> list[str]:
    """The panel of the backlog; the maximum beside the average, or long graphs hide the spikes."""
    source = files.source("queue_length", "backlog")
    return [
        f"DEF:average={source}:value:AVERAGE",
        f"DEF:maximum={source}:value:MAX",
        f"AREA:average{BACKLOG}: waiting (average)",
        f"LINE1.5:maximum{PEAK}: peak",
        r"GPRINT:average:LAST:now %8.0lf",
        r"GPRINT:maximum:MAX:highest %8.0lf\l",
    ]


def rates(files: Files) -> list[str]:
    """The panel of the rates."""
    return [
        f"DEF:in={files.source('derive', 'received')}:value:AVERAGE",
        f"DEF:out={files.source('derive', 'finished')}:value:AVERAGE",
        f"LINE1.5:in{IN}: in ",
        r"GPRINT:in:LAST:now %8.1lf/s",
        r"GPRINT:in:MAX:highest %8.1lf/s\l",
        f"LINE1.5:out{OUT}: out",
        r"GPRINT:out:LAST:now %8.1lf/s",
        r"GPRINT:out:MAX:highest %8.1lf/s\l",
    ]


def catch_up(files: Files) -> list[str]:
    """The panel of the time to catch up; a gap where it is not known, as while a backlog grows."""
    return [
        f"DEF:left={files.source('timeleft', 'catch_up')}:value:AVERAGE",
        f"AREA:left{LEFT}33",
        f"LINE1.5:left{LEFT}: until caught up",
        r"GPRINT:left:LAST:now %8.0lf s",
        r"GPRINT:left:MAX:longest %8.0lf s\l",
    ]


def draw(panel: list[str], title: str, unit: str, size: tuple[int, int], span: tuple[str, str]) -> bytes:
    """One panel as PNG. :raises Unavailable: rrdtool is missing, or says no."""
    program = shutil.which("rrdtool")
    if program is None:
        raise Unavailable("rrdtool is not installed")
    colors = {"BACK": BACK, "CANVAS": BACK, "FONT": INK, "GRID": GRID, "MGRID": GRID, "AXIS": INK, "FRAME": BACK}
    options = [part for name, color in colors.items() for part in ("--color", f"{name}{color}")]
    options += ["--title", title, "--vertical-label", unit, "--start", span[0], "--end", span[1]]
    options += ["--width", str(size[0]), "--height", str(size[1]), "--full-size-mode", "--lower-limit", "0"]
    options += ["--border", "0", "--slope-mode", "--units-exponent", "0", "--font", "DEFAULT:9:DejaVu Sans"]
    options += ["--font", "TITLE:11:DejaVu Sans", "--font", "WATERMARK:1:"]
    with tempfile.NamedTemporaryFile(suffix=".png") as image:
        done = subprocess.run(  # noqa: S603 - an argument list, no shell
            [program, "graph", image.name, *options, *panel], capture_output=True, text=True
        )
        if done.returncode:
            raise Unavailable(f"rrdtool: {done.stderr.strip().removeprefix('ERROR: ')}")
        return Path(image.name).read_bytes()


def moment(text: str) -> str:
    """rrdtool's notation of a time: ``1h`` is an hour ago; what is no duration is left to rrdtool (``now``, a date)."""
    try:
        return f"now-{round(parse_duration(text))}s"
    except ValueError:
        return text


@click.command()
@click.argument("consumer")
@config_option
@click.option(
    "--output", "-o", default="backlog.png", show_default=True, type=click.Path(path_type=Path, dir_okay=False)
)
@click.option("--since", default="1h", show_default=True, help="How far back: 90s, 1h, 7d.")
@click.option("--until", default="now", show_default=True, help="now, or how long ago.")
@click.option("--rrd-dir", default="/var/lib/collectd/rrd", show_default=True, type=click.Path(path_type=Path))
@click.option("--hostname", help="collectd's name of the host, where it has several.")
@click.option("--plugin", default="hubbub", show_default=True, help="The plugin name that the numbers go under.")
@click.option("--width", default=900, show_default=True, type=click.IntRange(300, 4000))
@click.option("--height", default=640, show_default=True, type=click.IntRange(300, 4000))
def graph(
    load_config: ConfigReader,
    consumer: str,
    output: Path,
    since: str,
    until: str,
    rrd_dir: Path,
    hostname: str | None,
    plugin: str,
    width: int,
    height: int,
) -> None:
    """Draw the backlog of CONSUMER, its rates and its time to catch up, from collectd's RRD files."""
    files = find(rrd_dir, hostname, plugin, consumer)
    span = moment(since), moment(until)
    panels = (
        (backlog(files), f"{consumer}: backlog", "messages"),
        (rates(files), "rates", "messages / s"),
        (catch_up(files), "time to catch up", "seconds"),
    )
    images = [
        draw(panel, title, unit, (width, round(height * share)), span)
        for (panel, title, unit), share in zip(panels, SHARES, strict=True)
    ]
    output.write_bytes(stack(images))
    click.echo(f"{output}: {consumer}, the last {since}")
