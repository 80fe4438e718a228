"""Command ``hubbub graph``: draws a consumer's backlog, rates and time to catch up with rrdtool, each into its file.

The numbers come from collectd's RRD files, or from the hub's own history.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click

from hub.cli.common import ConfigReader, config_option
from hub.errors import HubError, Unavailable
from hub.monitoring import graph_history
from hub.monitoring.collectd_values import identifier
from hub.monitoring.rrd import Lines, moments, place, run
from hub.monitoring.web import Web
from hub.units import parse_duration

INK, GRID, BACK = "#24292f", "#d0d7de", "#ffffff"
BACKLOG, PEAK, IN, OUT, LEFT = "#9ec5fe", "#0a58ca", "#d9480f", "#2b8a3e", "#862e9c"
HISTORY = "the hub's own history"

Span = tuple[str, str]
"""Start and end, in rrdtool's notation."""


class NoNumbers(Unavailable):
    """Lack of numbers of a consumer in collectd; the hub's own history may have some."""


@dataclass(frozen=True)
class Files:
    """RRD files of a consumer. ``directory`` is collectd's ``HOST/PLUGIN-INSTANCE``."""

    directory: Path
    consumer: str

    def lines(self) -> Lines:
        """Places of the numbers in these files."""
        backlog = self._place("queue_length", "backlog")
        received, finished = self._place("derive", "received"), self._place("derive", "finished")
        return Lines(backlog, backlog, received, finished, self._place("timeleft", "catch_up"))

    def _place(self, kind: str, suffix: str) -> str:
        return place(self.directory / f"{kind}-{self.consumer}_{suffix}.rrd")


def find(rrd_dir: Path, hostname: str | None, plugin: str, consumer: str) -> Files:
    """Find a consumer's files. :raises NoNumbers: there are none. :raises Unavailable: several hosts have some."""
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
    raise NoNumbers(f"collectd has no numbers of {consumer!r} under {rrd_dir}; it has those of: {names}")


def backlog(lines: Lines) -> list[str]:
    """Panel of the backlog, with the maximum beside the average: in long graphs averages hide the spikes."""
    return [
        f"DEF:average={lines.backlog}:AVERAGE",
        f"DEF:maximum={lines.peak}:MAX",
        f"AREA:average{BACKLOG}: waiting (average)",
        f"LINE1.5:maximum{PEAK}: peak",
        r"GPRINT:average:LAST:now %8.0lf",
        r"GPRINT:maximum:MAX:highest %8.0lf\l",
    ]


def rates(lines: Lines) -> list[str]:
    """Panel of the rates."""
    return [
        f"DEF:in={lines.rate_in}:AVERAGE",
        f"DEF:out={lines.rate_out}:AVERAGE",
        f"LINE1.5:in{IN}: in ",
        r"GPRINT:in:LAST:now %8.1lf/s",
        r"GPRINT:in:MAX:highest %8.1lf/s\l",
        f"LINE1.5:out{OUT}: out",
        r"GPRINT:out:LAST:now %8.1lf/s",
        r"GPRINT:out:MAX:highest %8.1lf/s\l",
    ]


def catch_up(place: str) -> list[str]:
    """Panel of the time to catch up, with gaps where it is unknown, as while a backlog grows."""
    return [
        f"DEF:left={place}:AVERAGE",
        f"AREA:left{LEFT}33",
        f"LINE1.5:left{LEFT}: until caught up",
        r"GPRINT:left:LAST:now %8.0lf s",
        r"GPRINT:left:MAX:longest %8.0lf s\l",
    ]


def draw(panel: list[str], title: str, unit: str, size: tuple[int, int], span: Span) -> bytes:
    """Draw a panel as PNG. :raises Unavailable: rrdtool is missing, or it failed."""
    colors = {"BACK": BACK, "CANVAS": BACK, "FONT": INK, "GRID": GRID, "MGRID": GRID, "AXIS": INK, "FRAME": BACK}
    options = [part for name, color in colors.items() for part in ("--color", f"{name}{color}")]
    options += ["--title", title, "--vertical-label", unit, "--start", span[0], "--end", span[1]]
    options += ["--width", str(size[0]), "--height", str(size[1]), "--full-size-mode", "--lower-limit", "0"]
    options += ["--border", "0", "--slope-mode", "--units-exponent", "0", "--font", "DEFAULT:9:DejaVu Sans"]
    options += ["--font", "TITLE:11:DejaVu Sans", "--font", "WATERMARK:1:"]
    with tempfile.NamedTemporaryFile(suffix=".png") as image:
        run("graph", image.name, *options, *panel)
        return Path(image.name).read_bytes()


def moment(text: str) -> str:
    """Time in rrdtool's notation: ``1h`` becomes an hour ago; any other text (``now``, a date) is unchanged."""
    try:
        return f"now-{round(parse_duration(text))}s"
    except ValueError:
        return text


def pictures(lines: Lines, consumer: str, size: tuple[int, int], span: Span, output: Path) -> dict[Path, bytes]:
    """Draw all panels as PNG, each with the path of its file; the backlog's is ``output``.

    :raises Unavailable: see :func:`draw`.
    """
    panels = {"": (backlog(lines), "backlog", "messages"), "-rates": (rates(lines), "rates", "messages / s")}
    if lines.catch_up is not None:
        panels["-catch-up"] = (catch_up(lines.catch_up), "time to catch up", "seconds")
    return {
        output.with_stem(output.stem + suffix): draw(panel, f"{consumer}: {title}", unit, size, span)
        for suffix, (panel, title, unit) in panels.items()
    }


def from_history(load_config: ConfigReader, consumer: str, span: Span, directory: Path) -> Lines:
    """Write the hub's own history of a consumer into an RRD file in ``directory``.

    :raises ConfigError: the configuration can't be read.
    :raises Unavailable: rrdtool does not understand the times, or the history has no such consumer.
    """
    configuration, now = load_config(), time.time()
    start, _ = moments(*span)
    servers = [part.name for part in configuration.of("servers").values() if issubclass(part.plugin.cls, Web)]
    seconds = max(1, round(now) - start)
    document = graph_history.read(configuration.state_dir, servers, consumer, seconds, now)
    return graph_history.lines(directory, document, consumer)


def choose(source: str, collectd: Callable[[], Files], history: Callable[[], Lines]) -> tuple[Lines, str]:
    """Choose the source of the numbers. ``auto``: collectd, or the history if collectd has none.

    :returns: the places of the numbers, and the source's name.
    :raises HubError: there are none; for ``auto`` the text has the reasons of both sources.
    """
    if source == "history":
        return history(), HISTORY
    try:
        return collectd().lines(), "collectd"
    except NoNumbers as missing:
        if source == "collectd":
            raise
        try:
            return history(), HISTORY
        except HubError as error:
            raise Unavailable(f"{missing}; {error}") from error


@click.command()
@click.argument("consumer")
@config_option
@click.option(
    "--output",
    "-o",
    default="backlog.png",
    show_default=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The backlog's file; the others are beside it: backlog-rates.png, backlog-catch-up.png.",
)
@click.option("--since", default="1h", show_default=True, help="Time to go back: 90s, 1h, 7d.")
@click.option("--until", default="now", show_default=True, help="now, or a time ago.")
@click.option(
    "--from",
    "source",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", "collectd", "history"]),
    help="collectd's RRD files, or the hub's own history; auto: the history if collectd has no numbers of CONSUMER.",
)
@click.option("--rrd-dir", default="/var/lib/collectd/rrd", show_default=True, type=click.Path(path_type=Path))
@click.option("--hostname", help="Host in collectd, if it has several; auto is collectd then.")
@click.option("--plugin", default="hubbub", show_default=True, help="Plugin name of the numbers in collectd.")
@click.option(
    "--width", default=900, show_default=True, type=click.IntRange(300, 4000), help="Width of each picture, in pixels."
)
@click.option(
    "--height",
    default=300,
    show_default=True,
    type=click.IntRange(150, 4000),
    help="Height of each picture, in pixels.",
)
def graph(
    load_config: ConfigReader,
    consumer: str,
    output: Path,
    since: str,
    until: str,
    source: str,
    rrd_dir: Path,
    hostname: str | None,
    plugin: str,
    width: int,
    height: int,
) -> None:
    """Draw the backlog of CONSUMER, its rates and its time to catch up, from collectd's RRD files.

    If collectd has no numbers of it, the hub's own history of 30 days is used, which a web server keeps; it does not
    contain the time to catch up.
    """
    span = moment(since), moment(until)
    collectd = partial(find, rrd_dir, hostname, plugin, consumer)
    if hostname is not None and source == "auto":
        source = "collectd"  # the history is that of this hub, not of another host's
    with tempfile.TemporaryDirectory(prefix="hubbub-") as name:
        history = partial(from_history, load_config, consumer, span, Path(name))
        lines, told = choose(source, collectd, history)
        made = pictures(lines, consumer, (width, height), span, output)
    for path, content in made.items():
        path.write_bytes(content)
    click.echo(f"{', '.join(map(str, made))}: {consumer}, the last {since}, from {told}")
