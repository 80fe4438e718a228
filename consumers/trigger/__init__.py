"""Trigger consumer: runs a command for each message."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from typing import ClassVar

from hub import Consumer, Context, Message, Reject, Retry
from hub.consumers.trigger.environment import TooLarge, base, of_message
from hub.consumers.trigger.output import lines
from hub.consumers.trigger.pace import Pace
from hub.consumers.trigger.process import Ended, Order, run
from hub.consumers.trigger.program import located
from hub.consumers.trigger.settings import Config as _Config
from hub.consumers.trigger.standard_input import standard_input
from hub.interfaces import Clock
from hub.settings import Settings

__all__ = ["Trigger"]

OUTPUT = {"action": "command"}


class CommandTimedOut(Exception):
    """A command ran longer than it may, and was ended. A failure: the message is tried again."""


class CommandKilled(Exception):
    """A signal that was not ours ended a command. A failure: the message is tried again."""


class Trigger(Consumer):
    """Run a command for each message, without a shell; its exit status is the verdict.

    0: done. 75 (``EX_TEMPFAIL``): again later, not counted as a failure. Any other: a dead letter, with the command's
    last lines. A command that a signal ended, or that took too long, has failed and is tried again.
    """

    Config: ClassVar[type[Settings]] = _Config

    def __init__(self, context: Context, monotonic: Clock = time.monotonic) -> None:
        super().__init__(context)
        self._monotonic = monotonic
        self._pace = Pace(self.config.rate, monotonic)
        self._lock = threading.Lock()
        self._running = 0
        self._ended: Counter[str] = Counter()
        self._base = base(os.environ, self.config.environment)
        self._program = ""

    def start(self) -> None:
        """Look the program up. :raises HubError: it is missing, or can't be run."""
        self._program = located(self.config.command[0], self._base["PATH"])

    def consume(self, message: Message) -> None:
        """Run the command. :raises Reject: it refuses the message. :raises Retry: later; the message is innocent."""
        if not self._pace.wait(self.context.stopping):
            raise Retry(0, "the consumer ends, and this command was not begun")
        order = self._order(message)
        with self._lock:
            self._running += 1
        try:
            ended = run(order, self.context.stopping, self._monotonic)
        except OSError as error:
            with self._lock:
                self._ended["not_begun"] += 1
            place = os.fsdecode(error.filename or self._program)  # the program, or the directory
            raise Retry(reason=f"the command can't be run: {place}: {error.strerror or error}") from error
        finally:
            with self._lock:
                self._running -= 1
        self._tell(ended)
        self._judge(ended)

    def status(self) -> dict[str, int]:
        """How many commands run, and how those since the start have ended."""
        with self._lock:
            return {"running": self._running, **self._ended}

    def _order(self, message: Message) -> Order:
        try:
            environment = of_message(message, self.context.name, self._base)
        except TooLarge as error:
            raise Reject(str(error)) from error
        config = self.config
        return Order(
            program=self._program,
            arguments=config.command,
            environment=environment,
            directory=config.directory or self.context.state_dir,
            given=standard_input(message, config.input),
            longest=config.longest,
            grace=config.grace,
            stop_after=config.stop_after,
        )

    def _tell(self, ended: Ended) -> None:
        if self.config.log_output:
            for name, raw in (("stdout", ended.stdout), ("stderr", ended.stderr)):
                for line in lines(raw):
                    self.log.info("%s: %s", name, line, extra=OUTPUT)

    def _judge(self, ended: Ended) -> None:
        """Return if the message is done, else raise the verdict."""
        last = "; ".join(lines(ended.stderr))
        said = f": {last}" if last else ""
        what, verdict = self._verdict(ended, said)
        with self._lock:
            self._ended[what] += 1
        if verdict is not None:
            raise verdict

    def _verdict(self, ended: Ended, said: str) -> tuple[str, Exception | None]:
        """How it ended, as ``status`` counts it, and what is raised for it. After a signal of ours the exit status
        tells nothing: a command that ends in good order when it is told to has not done its work."""
        status = ended.status
        if ended.cut == "stopping":
            return "interrupted", Retry(0, "the consumer ends, and the command was interrupted")
        if ended.cut == "longest":
            return "timed_out", CommandTimedOut(f"the command was ended after {self.config.longest:g} s{said}")
        if status == 0:
            return "done", None
        if status == os.EX_TEMPFAIL:
            return "put_off", Retry(reason=f"the command asks for another attempt (exit status {status}){said}")
        if status < 0:
            return "killed", CommandKilled(f"the command was ended by {_signal_name(-status)}{said}")
        return "refused", Reject(f"the command refuses it with exit status {status}{said}")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"
