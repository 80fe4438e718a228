"""Commands ``hubbub archive``, which search an archive."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy.exc import SQLAlchemyError

from hub.cli.common import ConfigReader, config_option, json_option
from hub.cli.group import Group
from hub.cli.output import none
from hub.configuration.schema import Configuration, Part
from hub.consumers.archive import Archive
from hub.consumers.archive.database import Database
from hub.consumers.archive.search import Query, search
from hub.errors import ConfigError, Unavailable
from hub.postgres import reason_of
from hub.statefiles import database_as_owner
from hub.text import printable
from hub.units import parse_duration

MANY = 160
"""Width in characters of a table that is not printed to a terminal."""


@click.group(cls=Group)
def archive() -> None:
    """Search the archive of stored messages."""


class When(click.ParamType[datetime]):
    """Parameter type of a moment: ``2h`` ago, or ``2026-11-21T14:00`` (local time unless it names a zone)."""

    name = "when"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Parse a moment. :raises click.BadParameter: it is in neither form."""
        if isinstance(value, datetime):
            return value
        try:
            return datetime.now(tz=UTC) - timedelta(seconds=parse_duration(value))
        except (ValueError, OverflowError):
            pass
        try:
            return datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(f"expected a time ago, such as 2h, or a date such as 2026-11-21T14:00, not {value!r}", param, ctx)


class Words(click.ParamType[str]):
    """Parameter type of a text in UTF-8. Python decodes other bytes as half surrogate pairs, which no database
    accepts."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check a text. :raises click.BadParameter: it is not UTF-8."""
        try:
            value.encode()
        except UnicodeEncodeError:
            self.fail(f"expected a text in UTF-8, not {value!r}", param, ctx)
        return str(value)


@archive.command("search")
@config_option
@json_option
@click.option("--topic", type=Words(), metavar="PATTERN", help="'a.b.c', 'a.b.*' (one word), 'a.#' (any rest).")
@click.option("--since", type=When(), help="2h (ago), or a date.")
@click.option("--until", type=When(), help="10m (ago), or a date.")
@click.option("--user", type=Words(), metavar="NAME", help="The user who acted.")
@click.option("--category", type=Words(), metavar="NAME", help="The service: git, wiki, ...")
@click.option("--contains", type=Words(), metavar="TEXT", help="A text that the body contains.")
@click.option("--limit", "-n", default=100, show_default=True, type=click.IntRange(min=1), help="Messages at most.")
@click.option("--oldest-first", is_flag=True, help="Show the oldest first, not the newest.")
@click.option("--consumer", metavar="NAME", help="The archive, if there are several [default: the first].")
def search_command(load_config: ConfigReader, as_json: bool, consumer: str | None, **criteria: Any) -> None:
    """Find messages, the newest first."""
    configuration = load_config()
    part = _choose(configuration, consumer)
    url = part.config.url(configuration.state_dir)
    if url.get_backend_name() == "sqlite" and not Path(url.database).exists():
        # SQLite would create an empty file, owned by the user who searches, not by the hub's.
        raise Unavailable(f"nothing is archived yet: there is no {url.database}")
    if url.get_backend_name() == "sqlite":
        url = url.set(database=str(database_as_owner(Path(str(url.database)))))
    database = Database(url, connections=1)
    try:
        rows = search(database.engine, Query(**criteria))
        if as_json:
            for row in rows:
                # ASCII: JSON does not escape the C1 characters, which a terminal obeys as commands.
                click.echo(json.dumps(_plain(row)))
        elif (first := next(rows, None)) is None:
            none("no messages that match", as_json)
        else:
            _show(chain([first], rows))
    except SQLAlchemyError as error:
        raise Unavailable(f"the archive can't be read: {reason_of(error)}") from error
    finally:
        database.close()


def _choose(configuration: Configuration, name: str | None) -> Part:
    consumers = configuration.of("consumers").values()
    archives = {part.name: part for part in consumers if issubclass(part.plugin.cls, Archive)}
    if not archives or (name is not None and name not in archives):
        known = ", ".join(archives) or "none"
        raise ConfigError([f"no consumer {f'{name!r} ' if name else ''}is an archive; there are: {known}"])
    return archives[name] if name is not None else next(iter(archives.values()))


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    raw, body = row["raw"], row["body"]
    shown = {key: value for key, value in row.items() if key not in ("id", "raw")}
    shown["body"] = (
        json.loads(raw) if raw is not None and body is not None else body
    )  # the database altered its numbers
    shown |= {key: row[key].isoformat() for key in ("timestamp", "received_at")}
    return {**shown, "digest": row["digest"].hex(), "raw": raw.decode("utf-8", "backslashreplace") if raw else None}


def _show(rows: Any) -> None:
    console = Console()
    if not console.is_terminal:
        console.width = MANY
    table = Table(box=None, header_style="bold", padding=(0, 1), expand=True)
    for heading in ("time", "topic", "user"):
        table.add_column(heading, no_wrap=True)
    table.add_column("body", no_wrap=True, overflow="ellipsis", ratio=1)
    for row in rows:
        body = row["body"].get("msg", row["body"]) if isinstance(row["body"], dict) else row["body"]
        text = msgspec.json.encode(body).decode() if body is not None else repr(row["raw"])
        moment = row["timestamp"].astimezone().strftime("%Y-%m-%d %H:%M:%S")
        cells = (moment, row["topic"], row["agent"] or "", text[:MANY])
        table.add_row(*(Text(printable(cell)) for cell in cells))
    console.print(table)
