"""The hub's own history for ``hubbub graph``: read from the web server's file, given to rrdtool as an RRD file."""

from __future__ import annotations

import multiprocessing
import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hub.errors import Unavailable
from hub.monitoring.rrd import Lines, make, place
from hub.monitoring.web.history import History
from hub.monitoring.web.history_file import Damaged, HistoryFile
from hub.monitoring.web.server import history_path
from hub.statefiles import as_owner, open_file

NO_SERVER = 'the hub keeps no history: a web server does, and none is configured; [servers.web] with type = "web"'

ATTEMPTS = 5
"""To copy the file while the hub does not change it; it does so now and then, for some milliseconds."""


def lines(directory: Path, document: dict[str, Any], consumer: str) -> Lines:
    """Make an RRD file of a consumer's history in ``directory``.

    :param document: of :meth:`hub.monitoring.web.history.View.document`.
    :raises Unavailable: rrdtool is missing, or it failed.
    """
    path = directory / "history.rrd"
    make(path, document["step"], document["start"], document["consumers"][consumer])
    return Lines(*(place(path, name) for name in ("backlog", "backlog_max", "rate_in", "rate_out")))


def read(state_dir: Path, servers: Sequence[str], consumer: str, span: int, now: float) -> dict[str, Any]:
    """The last ``span`` seconds of a consumer, by the finest resolution that reaches so far back.

    A process of its own reads the file: root becomes the owner of ``state_dir`` there, and stays root here, where the
    picture is written.

    :param servers: names of the configured web servers, each of which keeps a history. :param now: epoch seconds.
    :returns: see :meth:`hub.monitoring.web.history.View.document`.
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
        history = _load(directory, history_path(server, state_dir), now)
        if history is None:
            continue
        if consumer in history.names():
            return history.view(span, [consumer]).document()
        known.update(history.names())
    if not known:
        raise Unavailable(f"there is no history in {state_dir} yet: the web server writes it every ten seconds")
    names = ", ".join(sorted(known))
    raise Unavailable(f"the hub's own history has no numbers of {consumer!r}; it has those of: {names}")


def _load(directory: Path, shown: Path, now: float) -> History | None:
    """The history of one server; ``None``: there is no file. :param shown: the file's whole path, for messages."""
    with TemporaryDirectory(prefix="hubbub-") as name:
        try:
            copied = copy(directory / shown.name, Path(name))
            if copied is None:
                return None
            file = HistoryFile(copied)
            kept = file.load()
            file.close()
        except (Damaged, OSError) as error:
            raise Unavailable(f"the history {shown} can't be read: {error}") from error
    history = History()
    history.restore(kept.rows, now)
    return history


def copy(path: Path, into: Path) -> Path | None:
    """Copy a history as it is at one moment. SQLite reads the copy: it makes files beside the one that it opens, and
    it can't open one in a directory to which its user can't walk from the top.

    :returns: the copy; ``None``: there is no such file.
    :raises OSError: it can't be read, or it changes all the time.
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
        # The hub writes to the log; what it moves from there to the file itself would be in neither copy, or in part.
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
