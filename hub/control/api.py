"""All that can be asked of a running hub, over HTTP and JSON: the verbs, each found by its method and path.

The control socket and the web server offer the same ones; what differs is the guard before them, and that the web
server answers ``/status`` by itself: here it has everything, with the texts of errors. What can't be done answers 400,
401, 403, 404, 405 or 409 with ``{"problems": [...]}``. ``GET /openapi.json`` describes all of them.
"""

from __future__ import annotations

import functools
from typing import Any

import msgspec
from twisted.web.resource import Resource
from twisted.web.server import Request

from hub.control.openapi import document
from hub.control.verbs import consumers, dead, queues, refused, replay, trace, whole
from hub.control.verbs.verb import Hub, Verb, answer
from hub.errors import Forbidden
from hub.interfaces import Guard

VERBS: list[type[Verb]] = [
    whole.Status,
    whole.Tailing,
    whole.Publish,
    whole.Reload,
    whole.DrainHub,
    whole.ResumeHub,
    consumers.Pause,
    consumers.Resume,
    consumers.Drain,
    consumers.Threads,
    consumers.SetThreads,
    queues.Peek,
    queues.PurgeQueue,
    queues.DeleteQueue,
    replay.Replay,
    dead.Dead,
    dead.RetryDead,
    dead.DeleteDead,
    dead.Unsettled,
    refused.Refused,
    trace.Trace,
]
DOCUMENT = "openapi.json"


@functools.cache
def description() -> msgspec.Raw:
    """The API's, as JSON; made once, for anybody may ask for it, and it takes some milliseconds."""
    return msgspec.Raw(msgspec.json.encode(document(VERBS)))


class Api(Resource):
    """See the module."""

    isLeaf = True

    def __init__(self, hub: Hub, guard: Guard) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._guard = guard
        self._verbs: dict[str, dict[str, Verb]] = {}
        for kind in VERBS:
            self._verbs.setdefault(kind.path, {})[kind.method] = kind(hub, guard)

    def render(self, request: Request) -> Any:
        """Find the verb, and have it answer."""
        path = request.postpath.pop(0).decode("utf-8", "replace") if request.postpath else ""
        method = request.method.decode("ascii", "replace")
        if path == DOCUMENT and method in ("GET", "HEAD") and not any(request.postpath or ()):
            return self._describe(request)
        verbs = self._verbs.get(path)
        if verbs is None:
            return answer(request, {"problems": [f"there is no verb {path!r}; GET /{DOCUMENT} lists them"]}, 404)
        verb = verbs.get("GET" if method == "HEAD" else method)
        if verb is None:
            request.setHeader(b"Allow", ", ".join(verbs).encode())
            return answer(request, {"problems": [f"/{path} takes {' or '.join(verbs)}, not {method}"]}, 405)
        if not verb.about and any(request.postpath or ()):
            return answer(request, {"problems": [f"there is nothing below /{path}"]}, 404)
        return verb.render(request)

    def _describe(self, request: Request) -> int:
        try:
            self._guard.admit(request, "numbers")
        except Forbidden as error:
            return answer(request, {"problems": [str(error)]}, error.code)
        return answer(request, description())
