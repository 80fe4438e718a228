"""The verb that gives kept messages again."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.task import TaskFinished, TaskStopped, cooperate
from twisted.python.failure import Failure
from twisted.web.server import Request

from hub.control.steering import Replayed, ReplayOrder
from hub.control.verbs.steps import breath
from hub.control.verbs.verb import MALFORMED, NOT_STORED, Hub, Verb, answer, code_of, when_stored
from hub.errors import HubError
from hub.failure import told
from hub.partlog import part_log
from hub.text import counted

REPORT_EVERY = 0.2
"""Seconds between two lines about how far a replay is."""


class Progress(msgspec.Struct, omit_defaults=True):
    """How many there were so far, and when the last one had been received. ``left_out``: how many were not given, for
    they still wait for this consumer, or are in hand. ``not_taken``: how many its full queue did not take. The last
    line has ``done``, or ``problems``: why it ended before all were given. ``stored``: false where what was given is
    not on the disk yet."""

    replayed: int
    at: float | None
    left_out: int = 0
    not_taken: int = 0
    stored: bool = True
    done: bool = False
    problems: list[str] = []


class Replay(Verb):
    """Give kept messages to a consumer again; a line of JSON now and then says how far it is.

    What still waits for it, or is in hand, is left out, unless its queue is in memory. It ends when the client hangs
    up, and when the consumer is drained; one that is drained already takes nothing.
    """

    path, method, access, order, result = "replay", "POST", "actions", ReplayOrder, Progress
    media = "application/x-ndjson"

    def respond(self, request: Request, order: ReplayOrder, who: str) -> None:
        """Begin, and write the lines."""
        try:
            if not order.dry_run:
                self.hub.steering.open_queue(order.consumer)
            steps = self.hub.steering.replay(order)
        except (HubError, *MALFORMED) as error:
            self.note(who, order, f"refused: {error}")
            answer(request, {"problems": [str(error)]}, code_of(error))
            return
        if not order.dry_run:
            self.note(who, order, "begun")
        request.setHeader(b"Content-Type", self.media.encode())
        _Giving(self.hub, request, order.dry_run, lambda outcome: self.note(who, order, outcome)).start(steps)


class _Giving:
    """One replay while it goes on. :param note: is told how it ended, for the audit log."""

    def __init__(self, hub: Hub, request: Request, dry_run: bool, note: Callable[[str], None]) -> None:
        self._hub = hub
        self._request = request
        self._dry_run = dry_run
        self._note = note
        self._now = Progress(0, None)

    def start(self, steps: Iterator[Replayed]) -> None:
        """It ends by itself."""
        task = cooperate(self._run(steps))
        self._request.notifyFinish().addErrback(lambda _: task.stop()).addErrback(lambda late: late.trap(TaskFinished))
        task.whenDone().addCallbacks(lambda _: self._end(), self._fail)

    def _run(self, steps: Iterator[Replayed]) -> Iterator[Deferred[None] | None]:
        seconds = self._hub.reactor.seconds
        reported = seconds()
        try:
            for step in steps:
                self._now = Progress(step.given, step.at, step.left_out, step.not_taken)
                if seconds() - reported > REPORT_EVERY:
                    reported = seconds()
                    self._write()
                yield breath(self._hub)
        except HubError as error:
            self._now.problems = [str(error)]
        if not self._dry_run:
            yield when_stored(self._hub, self._now)
        self._now.done = not self._now.problems

    def _write(self) -> None:
        self._request.write(msgspec.json.encode(self._now) + b"\n")

    def _end(self) -> None:
        count, refused = self._now.replayed, self._now.not_taken
        if self._now.done and self._dry_run:
            self._note(f"counted {counted(count, 'message')}, gave none")
        elif self._now.done:
            rest = f", {refused} more did not fit into its queue" if refused else ""
            self._note(f"{'done' if self._now.stored else NOT_STORED}: {counted(count, 'message')}{rest}")
        else:
            self._note(f"ended after {counted(count, 'message')}: {self._now.problems[0]}")
        self._write()
        self._request.finish()

    def _fail(self, failure: Failure) -> None:
        count = self._now.replayed
        if failure.check(TaskStopped):
            self._note(f"the client hung up after {counted(count, 'message')}")
            return
        self._note(f"failed after {counted(count, 'message')}: {told(failure.value or RuntimeError())}")
        part_log("hub", "api").error("a replay was not ended", exc_info=failure.value, extra={"action": "bug"})
        self._request.loseConnection()
