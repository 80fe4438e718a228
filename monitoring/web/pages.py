"""What the web server answers besides files, events and verbs: health, metrics, history and spikes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as Overdue
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from hub.errors import Forbidden, HubError, Unavailable
from hub.monitoring.prometheus import render
from hub.monitoring.web.aside import TOO_MUCH, Aside
from hub.monitoring.web.guard import WebGuard
from hub.monitoring.web.history import View
from hub.monitoring.web.pulse import Pulse
from hub.monitoring.web.recorder import Recorder
from hub.monitoring.web.request import Problem, problem
from hub.monitoring.web.ring import TIERS

SPAN = 600
"""Seconds of history, where nothing else is asked for."""
LONGEST = TIERS[-1].span
LONGEST_OF_ALL = 3600
"""Seconds. All queues with all that is known of them would be many megabytes, for anybody who asks."""
READ_TIMEOUT = 10.0
"""Seconds that somebody waits for a disk that is slow."""
CROWDED = "too much is on its way to clients that do not read it"
NOTHING = "there is no such page"
Content = tuple[str, bytes]
"""A content type, and a body."""


class NoHistory(HubError):
    """Of a queue that was never seen. Met by the answer."""


class Page(Resource):
    """One path. :cvar named: a queue's name may follow in it; it may be anything."""

    isLeaf = True
    named = False

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def render(self, request: Request) -> Any:
        """Answer, if this is the path."""
        if request.postpath and not self.named:
            return problem(request, 404, NOTHING)
        return super().render(request)  # type: ignore[no-untyped-call]

    def answer(self, request: Request, content: object, code: int = 200) -> bytes:
        """As JSON; to be returned."""
        request.setResponseCode(code)
        request.setHeader(b"Content-Type", b"application/json")
        return msgspec.json.encode(content) + b"\n"

    def name(self, request: Request) -> str:
        """What follows in the path."""
        return b"/".join(request.postpath or []).decode("utf-8", "replace")


class Health(Page):
    """``/healthz``: the process lives and its reactor turns, or nothing would be answered."""

    def __init__(self, pulse: Pulse) -> None:
        super().__init__()
        self._pulse = pulse

    def render_GET(self, request: Request) -> bytes:  # noqa: N802 - Twisted's name
        """See the class."""
        return self.answer(request, {"state": self._pulse.latest().snapshot["hub"]["state"]})


class Readiness(Page):
    """``/readyz``: whether messages may be sent to it; 503 if not, with all reasons."""

    def __init__(self, pulse: Pulse) -> None:
        super().__init__()
        self._pulse = pulse

    def render_GET(self, request: Request) -> bytes:  # noqa: N802 - Twisted's name
        """See the class."""
        hub = self._pulse.latest().numbers["hub"]
        return self.answer(request, {"ready": hub["ready"], "reasons": hub["not_ready"]}, 200 if hub["ready"] else 503)


class Status(Page):
    """``/api/status``: all of it with the token, else the numbers; of a moment ago, for anybody may ask often."""

    def __init__(self, pulse: Pulse, guard: WebGuard) -> None:
        super().__init__()
        self._pulse = pulse
        self._guard = guard

    def render_GET(self, request: Request) -> bytes:  # noqa: N802 - Twisted's name
        """See the class."""
        try:
            contents = self._guard.shows_contents(request)
        except Forbidden as error:
            return problem(request, error.code, str(error))
        request.setHeader(b"Content-Type", b"application/json")
        return self._pulse.latest().document(contents) + b"\n"


class Slow(Page):
    """A page whose making takes a while, or would hold up the reactor."""

    def make(self, request: Any, content: Deferred[Content]) -> int:
        """Answer with it when it is there. To be returned."""
        gone: list[object] = []
        request.notifyFinish().addBoth(gone.append)

        def finish(result: Content | Failure) -> None:
            if gone:
                return
            if isinstance(result, Failure):
                body = self._refusal(request, result)
            else:
                kind, body = result
                request.setHeader(b"Content-Type", kind.encode())
                if request.site.crowded(len(body)):
                    body = problem(request, 503, CROWDED)
            request.setHeader(b"Content-Length", str(len(body)).encode())
            request.write(body)
            request.finish()

        content.addBoth(finish)
        return NOT_DONE_YET

    def _refusal(self, request: Any, failure: Failure) -> bytes:
        error = failure.value
        if isinstance(error, NoHistory):
            return problem(request, 404, str(error))
        if isinstance(error, Unavailable):
            return problem(request, 503, str(error))
        if isinstance(error, Overdue):
            return problem(request, 503, "the history is not read yet")
        request.site.on_bug(failure)
        return problem(request, 500, "the hub itself failed; its log says why")


class Metrics(Slow):
    """``/metrics``: for Prometheus."""

    def __init__(self, pulse: Pulse, aside: Aside) -> None:
        super().__init__()
        self._pulse = pulse
        self._aside = aside

    def render_GET(self, request: Request) -> int:  # noqa: N802 - Twisted's name
        """See the class."""
        accept = (request.getHeader(b"Accept") or b"").decode("latin-1")
        return self.make(request, self._aside.do(render, self._pulse.latest().numbers, accept))


class Past(Slow):
    """What was; just after a start it is waited for until that is read from the disk."""

    named = True

    def __init__(self, recorder: Recorder, reactor: Any) -> None:
        super().__init__()
        self.recorder = recorder
        self._reactor = reactor

    def when_read(self, request: Request, work: Callable[[], Content | Deferred[Content]]) -> int:
        """Answer with what ``work`` returns then. To be returned."""
        read = self.recorder.loaded().addTimeout(READ_TIMEOUT, self._reactor)
        return self.make(request, read.addCallback(lambda _: work()))


class HistoryPage(Past):
    """``/history`` of all queues, ``/history/NAME`` of one; ``?span=`` seconds."""

    def __init__(self, recorder: Recorder, reactor: Any, aside: Aside) -> None:
        super().__init__(recorder, reactor)
        self._aside = aside

    def render_GET(self, request: Request) -> bytes | int:  # noqa: N802 - Twisted's name
        """See the class."""
        given = (request.args or {}).get(b"span", [str(SPAN).encode()])[-1]
        name = self.name(request)
        longest = LONGEST if name else LONGEST_OF_ALL
        if not given.isdigit() or len(given) > 9 or not 1 <= int(given) <= longest:
            what = "" if name else " of all queues"
            return problem(request, 400, f"the span{what} is a number of seconds from 1 to {longest}")
        return self.when_read(request, lambda: self._view(int(given), name or None))

    def _view(self, span: int, name: str | None) -> Deferred[Content]:
        if self._aside.full:  # the view is a copy, and not a small one: whoever floods us shall not have it made
            raise Unavailable(TOO_MUCH)
        view = self.recorder.view(span, name)
        if view is None:
            raise NoHistory("there is no history of a queue of that name")
        return self._aside.do(_document, view)


def _document(view: View) -> Content:
    return "application/json", msgspec.json.encode(view.document()) + b"\n"


class SpikesPage(Past):
    """``/spikes/NAME``: of one queue, the newest first. A queue that is not known has had none."""

    def render_GET(self, request: Request) -> int:  # noqa: N802 - Twisted's name
        """See the class."""
        name = self.name(request)
        return self.when_read(request, lambda: self._spikes(name))

    def _spikes(self, name: str) -> Content:
        return "application/json", msgspec.json.encode({"spikes": self.recorder.spikes(name)}) + b"\n"


class Root(Resource):
    """What there is at the top."""

    def __init__(self, children: Mapping[str, Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        for name, child in children.items():
            self.putChild(name.encode(), child)

    def getChild(self, path: bytes, request: Request) -> Any:  # noqa: N802 - Twisted's name
        """Anything else."""
        return Problem(404, NOTHING)
