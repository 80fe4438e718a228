"""Verb that replays kept messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.task import TaskFinished, TaskStopped, cooperate
from twisted.python.failure import Failure
from twisted.web.server import Request

from hub.control.cooperative import backpressure
from hub.control.hub import Hub, HubVerb, when_stored
from hub.control.replay import Replayed, ReplayOrder, replay
from hub.errors import HubError
from hub.failure import told
from hub.http.api import NOT_STORED
from hub.http.verb import LINES, NOT_DONE_YET, Call
from hub.partlog import part_log
from hub.text import counted

REPORT_EVERY = 0.2
"""Seconds between two lines of progress."""


class Progress(msgspec.Struct, omit_defaults=True):
    """Number of messages so far, and the time at which the last one was received. ``left_out``: messages not given
    because they still wait for this consumer, or are in flight. ``not_taken``: messages that its full queue did not
    take. The last line has ``done``, or ``problems``: why it ended early. ``stored``: false while the messages given
    are not on disk."""

    replayed: int
    at: float | None
    left_out: int = 0
    not_taken: int = 0
    stored: bool = True
    done: bool = False
    problems: list[str] = []


class Replay(HubVerb):
    """Replay kept messages to a consumer; lines of JSON report the progress.

    Messages that still wait for it, or are in flight, are left out, unless its queue is in memory. The replay ends when
    the client hangs up, or the consumer is drained; a drained consumer takes nothing.
    """

    path, method, access, order, result = "replay", "POST", "actions", ReplayOrder, Progress
    media = LINES

    def handle(self, call: Call) -> int:
        """Start the replay, which writes the lines and ends by itself."""
        order: ReplayOrder = call.order
        if not order.dry_run:
            self.hub.queues.taking(order.consumer)
        steps = replay(self.hub, order)
        if not order.dry_run:
            call.note("begun")
        call.request.setHeader(b"Content-Type", self.media.encode())
        _Giving(self.hub, call.request, order.dry_run, call.note).start(steps)
        return NOT_DONE_YET


class _Giving:
    """A running replay. :param note: called with its outcome, for the audit log."""

    def __init__(self, hub: Hub, request: Request, dry_run: bool, note: Callable[[str], None]) -> None:
        self._hub = hub
        self._request = request
        self._dry_run = dry_run
        self._note = note
        self._now = Progress(0, None)

    def start(self, steps: Iterator[Replayed]) -> None:
        """Start the replay; it ends by itself."""
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
                yield backpressure(self._hub)
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
        part_log("hub", "api").error("a replay failed at its end", exc_info=failure.value, extra={"action": "bug"})
        self._request.loseConnection()
