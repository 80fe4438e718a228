"""``hubbub dead``."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import click
import msgspec

from hub.cli.common import client_of, config_option, json_option
from hub.config import Configuration
from hub.text import printable


@click.group()
def dead() -> None:
    """Dead letters: messages that a consumer could not handle."""


@dead.command("list")
@click.argument("consumer")
@config_option
@json_option
@click.option("--traceback", is_flag=True, help="With the traceback of each.")
def list_(load_config: Callable[[], Configuration], consumer: str, as_json: bool, traceback: bool) -> None:
    """List the dead letters of CONSUMER, the oldest first."""
    letters = client_of(load_config).get(f"/dead/{quote(consumer, safe='')}")["dead_letters"]
    for letter in letters:
        click.echo(msgspec.json.encode(letter).decode() if as_json else _line(letter, traceback))


def _line(letter: dict[str, Any], traceback: bool) -> str:
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(letter["buried_at"]))
    line = printable(f"{when}  {letter['topic']}  {letter['id']}  attempts {letter['attempts']}: {letter['reason']}")
    if traceback and letter["traceback"]:
        line += "".join(f"\n    {printable(text)}" for text in letter["traceback"].splitlines())
    return line
