"""History for ``hubbub graph``: read from the web server's file, and written as an RRD file for rrdtool."""

from __future__ import annotations

import multiprocessing
import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from hub.errors import Unavailable
from hub.monitoring.rrd import Lines, make, place
from hub.monitoring.web import history
from hub.monitoring.web.history_file import HistoryFile
from hub.monitoring.web.server import history_path
from hub.statefiles import as_owner, open_file

NO_SERVER = 'the hub keeps no history: a web server does, and none is configured; [servers.web] with type = "web"'

ATTEMPTS = 5
"""Attempts to copy the file unchanged; the hub writes it for some milliseconds every now and then."""


def lines(directory: Path, document: dict[str, Any], consumer: str) -> Lines:
    """Write an RRD file of a consumer's history into ``directory``.

    :param document: as of :func:`hub.monitoring.web.history.view`.
    :raises Unavailable: rrdtool is missing, or it failed.
    """
    path = directory / "history.rrd"
    make(path, document["step"], document["start"], document["consumers"][consumer])
    return Lines(*(place(path, name) for name in ("backlog", "backlog_max", "rate_in", "rate_out")))


def read(state_dir: Path, servers: Sequence[str], consumer: str, span: int, now: float) -> dict[str, Any]:
    """Read the last ``span`` seconds of a consumer, in the finest resolution that reaches so far back.

    A child process reads the file: there root becomes the owner of ``state_dir``, and stays root here, where the
    picture is written.

    :param servers: names of the configured web servers, each of which has a history. :param now: epoch seconds.
    :returns: see :func:`hub.monitoring.web.history.view`.
    :raises Unavailable: there is no history, it has no such consumer, or its file can't be read.
    """
    if not servers:
        raise Unavailable(NO_SERVER)
    with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as pool:
        return pool.submit(_read, state_dir, list(servers), consumer, span, now).result()


def _read(state_dir: Path, servers: Sequence[str], consumer: str, span: int, now: float) -> dict[str, Any]:
    known: set[str] = set()
    directory = as_owner(state_dir)
    for server in servers:
        found, names = _load(directory, history_path(server, state_dir), consumer, span, now)
        if found is not None:
            document: dict[str, Any] = msgspec.json.decode(found)
            return document
        known.update(names)
    if not known:
        raise Unavailable(f"there is no history in {state_dir} yet: the web server writes it every ten seconds")
    told = ", ".join(sorted(known))
    raise Unavailable(f"the hub's own history has no numbers of {consumer!r}; it has those of: {told}")


def _load(directory: Path, shown: Path, consumer: str, span: int, now: float) -> tuple[bytes | None, list[str]]:
    """Read one server's history: the consumer's numbers, and the names of all consumers in it.

    :param shown: the file's full path, for messages.
    """
    with TemporaryDirectory(prefix="hubbub-") as name:
        try:
            copied = copy(directory / shown.name, Path(name))
            if copied is None:
                return None, []
            with closing(HistoryFile(copied)) as file:
                return file.transact(lambda tables: (history.view(tables, span, now, consumer), history.names(tables)))
        except OSError as error:
            raise Unavailable(f"the history {shown} can't be read: {error}") from error


def copy(path: Path, into: Path) -> Path | None:
    """Copy a consistent state of a history. SQLite opens the copy: it creates files beside the one that it opens, and
    it can't open a file in a directory that its user can't reach from the root directory.

    :returns: the copy; ``None``: there is no such file.
    :raises OSError: the file can't be read, or it changes all the time.
    """
    log = path.with_name(path.name + "-wal")
    for _ in range(ATTEMPTS):
        try:
            before = path.stat()
            _copy_file(log, into / log.name, missing_ok=True)
            _copy_file(path, into / path.name)
        except FileNotFoundError:
            return None
        after = path.stat()
        # The hub writes to the WAL; pages that it moves from there to the file meanwhile would be in neither copy.
        if (before.st_mtime_ns, before.st_size) == (after.st_mtime_ns, after.st_size):
            return into / path.name
    raise OSError("it changes all the time; try again")


def _copy_file(source: Path, target: Path, missing_ok: bool = False) -> None:
    target.unlink(missing_ok=True)
    try:
        descriptor = open_file(source, os.O_RDONLY)
    except FileNotFoundError:
        if missing_ok:
            return
        raise
    with open(descriptor, "rb") as read_from, target.open("wb") as write_to:
        shutil.copyfileobj(read_from, write_to)
