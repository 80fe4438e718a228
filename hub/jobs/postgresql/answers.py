"""Limits for the silence of a server: one that takes connections and never answers keeps no thread for ever.

PostgreSQL's own ``statement_timeout`` is of no use where the server has stopped, or a pooler waits for it: nobody is
there to end the statement, and TCP's keepalive is answered by the kernel. So the socket is shut from here. Then the
driver, whichever it is, finds that the connection has ended.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Engine, event

from hub.errors import Unavailable
from hub.interfaces import Clock

MARGIN = 2.0
"""Seconds that an answer may take beyond the server's own limit, which has the better words."""
EVERY = 0.25
"""Seconds between two looks whether a limit has passed."""
IDLE = 20
"""Looks without anything under way after which the thread ends."""


class Answer:
    """An answer that is waited for.

    :ivar file: a copy of the socket's descriptor, so that no other socket is shut that has come into its place.
    :ivar deadline: by the clock. :ivar passed: whether that has.
    """

    __slots__ = ("deadline", "file", "passed")

    def __init__(self, file: int, deadline: float) -> None:
        self.file = file
        self.deadline = deadline
        self.passed = False


def no_answer(seconds: float) -> Unavailable:
    """What a caller is told whose limit has passed."""
    return Unavailable(f"the jobs' database: it gave no answer for {seconds:.0f} s")


class AnswerLimits:
    """Shuts connections whose answer does not come in time. Thread-safe. Its thread ends where nothing is under way for
    a while.

    :param sleep: sleeps for so many seconds.
    """

    def __init__(self, clock: Clock = time.monotonic, sleep: Callable[[float], object] = time.sleep) -> None:
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._under_way: set[Answer] = set()
        self._watched = False
        self._connecting = threading.local()

    def watch(self, engine: Engine) -> None:
        """Limit what is asked while a connection of the engine is made: see :meth:`connecting`."""
        event.listen(engine, "connect", self._connected, insert=True)

    def begin(self, connection: Any, seconds: float) -> Answer:
        """Begin to wait for an answer. :param connection: a driver's, which is open."""
        answer = Answer(os.dup(connection.fileno()), self._clock() + seconds)
        with self._lock:
            self._under_way.add(answer)
            if not self._watched:
                self._watched = True
                threading.Thread(target=self._watch, name="jobs-answers", daemon=True).start()
        return answer

    def end(self, answer: Answer) -> bool:
        """End that. :returns: whether the limit has passed, so that the connection is shut."""
        with self._lock:
            self._under_way.discard(answer)
        os.close(answer.file)
        return answer.passed

    @contextmanager
    def within(self, connection: Any, seconds: float) -> Iterator[None]:
        """Limit what is asked in the block. :raises Unavailable: the limit has passed."""
        answer = self.begin(connection, seconds)
        try:
            yield
        except Exception as error:
            if answer.passed:
                raise no_answer(seconds) from error
            raise
        finally:
            self.end(answer)

    @contextmanager
    def connecting(self, seconds: float) -> Iterator[None]:
        """Limit what is asked in a new connection before it is given to anybody: a pooler answers at first itself.

        :raises Unavailable: the limit has passed.
        """
        self._connecting.seconds, self._connecting.answer = seconds, None
        try:
            yield
        except Exception as error:
            if self._end_connecting():
                raise no_answer(seconds) from error
            raise
        finally:
            self._end_connecting()
            self._connecting.seconds = None

    def _end_connecting(self) -> bool:
        answer, self._connecting.answer = self._connecting.answer, None
        return answer is not None and self.end(answer)

    def _connected(self, connection: Any, _record: object) -> None:
        seconds = getattr(self._connecting, "seconds", None)
        if seconds is not None:
            self._connecting.answer = self.begin(connection, seconds)

    def _watch(self) -> None:
        idle = 0
        while True:
            self._sleep(EVERY)
            with self._lock:
                idle = 0 if self._under_way else idle + 1
                if idle > IDLE:
                    self._watched = False
                    return
                now = self._clock()
                for answer in self._under_way:
                    if now >= answer.deadline and not answer.passed:
                        answer.passed = True
                        _shut(answer.file)


def _shut(file: int) -> None:
    """Shut a socket for whoever has it open."""
    with suppress(OSError):
        found = socket.socket(fileno=file)
        try:
            found.shutdown(socket.SHUT_RDWR)
        finally:
            found.detach()
