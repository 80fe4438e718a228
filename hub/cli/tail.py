"""``hubbub tail``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.text import Text

from hub import jsontext
from hub.cli.bus import choose, tools
from hub.cli.common import ConfigReader, client_of, config_option, json_option
from hub.cli.json_output import json_text
from hub.configuration.schema import Configuration
from hub.message import Message
from hub.router import Router
from hub.text import counted, printable


@click.command()
@click.argument("pattern", default="#")
@config_option
@json_option
@click.option("--pretty", is_flag=True, help="Show the whole body, indented.")
@click.option("--count", "-n", type=click.IntRange(min=1), help="Stop after so many messages.")
@click.option("--direct", is_flag=True, help="Subscribe to the bus directly, without a running hub.")
@click.option("--backend", metavar="NAME", help="With --direct: the backend [default: the first].")
def tail(
    load_config: ConfigReader,
    pattern: str,
    as_json: bool,
    pretty: bool,
    count: int | None,
    direct: bool,
    backend: str | None,
) -> None:
    """Show messages as they arrive. PATTERN is a topic pattern such as 'org.example.#'.

    The messages are those that the running hub receives, with or without a consumer for them. A terminal that is too
    slow misses messages, and shows how many.
    """
    rows = _direct(load_config(), pattern, backend) if direct else _from_hub(load_config, pattern)
    console = Console(highlight=False)
    for row in islice(rows, count):
        if as_json:
            click.echo(json_text(row))
        elif "missed" in row:
            console.print(
                Text(f"... {counted(row['missed'], 'message')} missed: this terminal is too slow", style="bold red")
            )
        else:
            console.print(_line(row, pretty), soft_wrap=True)


def _from_hub(load_config: ConfigReader, pattern: str) -> Iterator[dict[str, Any]]:
    return client_of(load_config).lines("/tail", pattern=pattern)


def _direct(configuration: Configuration, pattern: str, backend: str | None) -> Iterator[dict[str, Any]]:
    part = choose(configuration, backend, "see what the running hub receives, without --direct")
    router: Router[None] = Router([([pattern], None)])
    for message in tools(part).listener(part.config, [pattern]):
        if router.route(message.topic):
            yield _row(message)


def _row(message: Message) -> dict[str, Any]:
    body = jsontext.read_or_text(message.body)
    return {"topic": message.topic, "id": message.id, "received_at": message.received_at, "body": body}


def _line(row: dict[str, Any], pretty: bool) -> Text:
    when = time.strftime("%H:%M:%S", time.localtime(row["received_at"]))
    body = msgspec.json.encode(row["body"])
    text = msgspec.json.format(body, indent=2).decode() if pretty else body.decode()
    shown = "\n".join(printable(line) for line in text.split("\n"))
    topic = printable(row["topic"])
    return Text.assemble((when, "dim"), " ", (topic, "bold cyan"), "\n" if pretty else " ", shown)
