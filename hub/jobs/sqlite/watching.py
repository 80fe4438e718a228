"""Watches a file of SQLite for what other connections commit."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from hub.jobs.storage import Heard

EVERY = 0.01
"""Seconds between two looks at ``PRAGMA data_version``, which reads a number in shared memory."""
AGAIN = 1.0
"""Seconds until a file that can't be read is tried again."""
log = logging.getLogger("hub.jobs")


class Watcher:
    """Tells of commits of all other connections, in a thread.

    :param heard: called in that thread, with ``None``: any queue may have jobs.
    :param wait: waits for the event, at most so many seconds.
    """

    def __init__(
        self, file: Path, heard: Heard, wait: Callable[[threading.Event, float], object] = threading.Event.wait
    ) -> None:
        self._file = file
        self._heard = heard
        self._wait = wait
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="jobs-watcher", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it."""
        self._ended.set()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        failed = False
        while not self._ended.is_set():
            try:
                # Opened anew after a failure: the file may be another one.
                with closing(sqlite3.connect(f"{self._file.as_uri()}?mode=rw", uri=True)) as connection:
                    self._heard(None)
                    self._watch(connection)
            except Exception as error:  # the thread must not end
                if not isinstance(error, sqlite3.Error):
                    log.exception("unexpected error; watching again", extra={"action": "listen"})
                elif not failed:
                    log.warning("not watching for jobs in %s: %s", self._file, error, extra={"action": "listen"})
                failed = True
                self._wait(self._ended, AGAIN)

    def _watch(self, connection: sqlite3.Connection) -> None:
        version = None
        while not self._ended.is_set():
            (found,) = connection.execute("PRAGMA data_version").fetchone()
            if version not in (None, found):
                self._heard(None)
            version = found
            self._wait(self._ended, EVERY)
