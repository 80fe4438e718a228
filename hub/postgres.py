"""PostgreSQL by either of its drivers, psycopg2 and psycopg 3: parameters of a connection, extras, errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hub.extra import Extra
from hub.text import printable

if TYPE_CHECKING:
    from sqlalchemy import URL

CONNECTING: dict[str, int | str] = {
    "connect_timeout": 10,  # seconds, as all but the last
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,  # milliseconds
}
"""libpq's parameters unless the URL sets them: a silent server is given up after half a minute. With the kernel's own
defaults a thread hangs for 15 minutes, or for two hours, when a network drops packets."""
LONGEST_REASON = 300


def connect_arguments(url: URL) -> dict[str, Any]:
    """Arguments for the driver of a URL."""
    arguments: dict[str, Any] = {name: value for name, value in CONNECTING.items() if name not in url.query}
    arguments["client_encoding"] = "utf8"  # whatever the database, the role or the environment would have
    if url.get_driver_name() == "psycopg":
        arguments["prepare_threshold"] = None  # a statement prepared in one session is not there behind a pooler
    return arguments


def extras(use: str) -> dict[str, Extra]:
    """Extras by the name of the driver that they bring. :param use: as in :class:`hub.extra.Extra`."""
    return {driver: Extra(use, name, (driver,)) for driver, name in (("psycopg2", "postgres"), ("psycopg", "psycopg"))}


def code_of(error: BaseException | None) -> str | None:
    """SQLSTATE of a driver's error, which the two name differently; ``None``: the error is not the server's."""
    code = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    return None if code is None else str(code)


def reason_of(error: Exception) -> str:
    """First line of a database's error, bounded. Further lines quote the row, or guess.

    :param error: SQLAlchemy's, or a driver's.
    """
    lines = str(getattr(error, "orig", None) or error).strip().splitlines()
    return printable(lines[0] if lines else type(error).__name__)[:LONGEST_REASON]
