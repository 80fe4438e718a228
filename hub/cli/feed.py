"""``hubbub feed``."""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

from hub.cli.bus import choose, tools
from hub.cli.common import ConfigReader, config_option, json_option
from hub.cli.json_output import json_text
from hub.cli.progress import progress_bar
from hub.errors import ConfigError, Unavailable
from hub.interfaces import Sender
from hub.message import new_id
from hub.text import encodable

Record = tuple[str, bytes]
"""A topic and a body."""
MOST_PROBLEMS = 20
"""Lines that can't be used of which each is told."""
LONGEST_TOPIC = 1024
"""Bytes."""


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@config_option
@json_option
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="Messages per second [default: no limit].")
@click.option("--loop", is_flag=True, help="Start again at the end of FILE, until Ctrl-C.")
@click.option("--fresh", is_flag=True, help="Give each message a new id and the current time.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress bar.")
@click.option("--backend", metavar="NAME", help="The backend to send through [default: the first].")
@click.option("--wait", default=10.0, show_default=True, help="Seconds to wait for a subscriber.")
def feed(
    load_config: ConfigReader,
    file: Path,
    as_json: bool,
    rate: float | None,
    loop: bool,
    fresh: bool,
    quiet: bool,
    backend: str | None,
    wait: float,
) -> None:
    """Publish recorded messages, one JSON object with a "topic" on each line of FILE ("-": standard input).

    Each object is sent whole, as it was recorded; on a fedmsg bus it is the envelope. FILE is read first: with a line
    that can't be used nothing is sent, and each such line is named. --json prints the number of messages at the end.
    """
    part = choose(load_config(), backend, "'hubbub publish --through-hub' sends single messages to it")
    if str(file) == "-":
        records = read_records(sys.stdin.buffer, "standard input")
    else:
        records = read_records(file.read_bytes().splitlines(), str(file))
    sender = tools(part).sender(part.config)
    try:
        if not sender.wait(wait):
            raise Unavailable(f"backend {part.name} has no subscriber: nothing was sent")
        _send(sender, _passing(records, loop, fresh), rate, None if loop else len(records), quiet or as_json)
    finally:
        sender.close()
    if as_json:
        click.echo(json_text({"sent": len(records)}))


def read_records(lines: Iterable[bytes], file: str) -> list[Record]:
    """Records of a file: the topic of each line, and the line in fedmsg's canonical form.

    :raises ConfigError: some lines are no such objects; it lists the first ``MOST_PROBLEMS``, with ``file``.
    """
    records: list[Record] = []
    problems: list[str] = []
    bad = 0
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                records.append(_record(line))
            except ValueError as error:
                bad += 1
                if bad <= MOST_PROBLEMS:
                    problems.append(f"{file}, line {number}: {error}")
    if bad > MOST_PROBLEMS:
        problems.append(f"{file}: {bad - MOST_PROBLEMS} more lines can't be used")
    if not records and not problems:
        problems.append(f"{file} has no message")
    if problems:
        raise ConfigError(problems)
    return records


def _record(line: bytes) -> Record:
    try:
        content: Any = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"this is no JSON: {error.msg} at column {error.colno}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"this is no UTF-8: byte {error.start + 1}") from error
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    topic = content.get("topic") if isinstance(content, dict) else None
    if not isinstance(topic, str) or not topic:
        raise ValueError('expected a JSON object with a "topic"')
    if encodable(topic) != topic or len(topic.encode()) > LONGEST_TOPIC:
        raise ValueError(f"expected a topic of at most {LONGEST_TOPIC} bytes in UTF-8")
    return topic, _canonical(content)


def _passing(records: list[Record], loop: bool, fresh: bool) -> Iterator[Record]:
    passing = itertools.cycle(records) if loop else iter(records)
    return (_renewed(record) for record in passing) if fresh else passing


def _renewed(record: Record) -> Record:
    topic, line = record
    now = time.time()
    content = {**json.loads(line), "msg_id": new_id(now), "timestamp": int(now)}
    return topic, _canonical(content)


def _canonical(content: Any) -> bytes:
    """JSON as fedmsg encodes it: sorted keys, no spaces, ASCII."""
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def _send(sender: Sender, passing: Iterator[Record], rate: float | None, total: int | None, quiet: bool) -> None:
    columns = (TextColumn("feeding"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[speed]}/s"))
    with progress_bar((*columns, TimeRemainingColumn()), quiet, transient=False) as progress:
        task = progress.add_task("feed", total=total, speed="-")
        began = time.monotonic()
        for sent, (topic, body) in enumerate(passing, 1):
            sender.forward(topic, body)
            elapsed = time.monotonic() - began
            if rate is not None and sent / rate > elapsed:
                time.sleep(sent / rate - elapsed)
            if not quiet and ((rate is not None and rate < 500) or sent % 500 == 0 or sent == total):
                progress.update(task, completed=sent, speed=f"{sent / max(elapsed, 1e-6):.0f}")
