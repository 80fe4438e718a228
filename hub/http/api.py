"""The HTTP API of a server: one ``twisted.web`` resource that routes, guards, audits and answers all verbs.

A request that fails is answered with 400, 401, 403, 404, 405, 409 or 503 and ``{"problems": [...]}``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import unquote

import msgspec
from twisted.internet.defer import maybeDeferred
from twisted.python.failure import Failure
from twisted.web.http import BAD_REQUEST, CONFLICT, INTERNAL_SERVER_ERROR, NOT_FOUND, OK, SERVICE_UNAVAILABLE
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from hub.errors import CannotPublish, ConfigError, Forbidden, HubError, NotFound, Unavailable
from hub.http.access import Auditor, Caller, Guard
from hub.http.openapi import document
from hub.http.streaming import Streaming
from hub.http.verb import JSON, Call, Document, Mounts, Nothing, Stream, Verb
from hub.text import printable

BODY_LIMIT = 16 << 20
LARGE = 16 << 10
"""Bytes from which an answer is refused while too many others wait to be read."""
CROWDED = "too much data is waiting for clients that do not read it"
BUG = "internal error; the hub's log has the details"
MALFORMED = (msgspec.DecodeError, CannotPublish, ValueError, RecursionError)
"""Errors that a bad order raises, wherever it is noticed."""
NOT_STORED = "done, but not on the disk yet"
OWN_PREFIXES = ("", "api")
"""Prefixes of the hub's own verbs, on the control socket and the web server. Other verbs have theirs in the audit
log."""


class Description(Verb):
    """Describe this API (OpenAPI 3.1)."""

    path = "openapi.json"

    def __init__(self, verbs: Callable[[], Mounts]) -> None:
        self._verbs = verbs
        self._made: tuple[list[tuple[str, type[Verb]]], bytes] = [], b""

    def carry_out(self, order: Nothing) -> bytes:
        """Return the document, which is cached until the verbs change: making it takes some milliseconds."""
        mounts = self._verbs()
        kinds = [(prefix, type(verb)) for prefix, verbs in mounts.items() for verb in verbs]
        if kinds != self._made[0]:
            self._made = kinds, msgspec.json.encode(document(mounts)) + b"\n"
        return self._made[1]


class Route(NamedTuple):
    """Verbs of one path, by method. :ivar action: the path's name in the audit log."""

    verbs: dict[str, Verb]
    action: str


class Api(Resource):
    """Serves verbs over HTTP. Belongs to the reactor's thread.

    :param mounts: the server's own verbs, which never change.
    :param description: the prefix of the OpenAPI document.
    :param plugins: returns the verbs of plugins, which a reload may change.
    :param changed: called after an action, when its answer is written.
    :param crowded: returns true if an answer of so many bytes is too large now.
    """

    isLeaf = True

    def __init__(
        self,
        guard: Guard,
        audit: Auditor,
        log: logging.LoggerAdapter[logging.Logger],
        mounts: Mounts,
        description: str = "",
        plugins: Callable[[], Mounts] = dict,
        changed: Callable[[], None] = lambda: None,
        crowded: Callable[[int], bool] = lambda size: False,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._guard, self._audit, self._log = guard, audit, log
        self._own = {**mounts, description: [*mounts.get(description, ()), Description(self.verbs)]}
        self._plugins = plugins
        self._changed, self._crowded = changed, crowded
        self._routes = _routes(self._own)
        self._listing = f"GET /{'/'.join(filter(None, (description, Description.path)))} lists what there is"

    def verbs(self) -> Mounts:
        """All current verbs, by prefix."""
        return {**self._plugins(), **self._own}

    def render(self, request: Request) -> int:
        """Find the verb, admit the caller, and let the verb answer."""
        segments = [segment.decode("utf-8", "replace") for segment in request.postpath or []]
        method = request.method.decode("ascii", "replace")
        route, rest = self._find(segments)
        verb = None if route is None else route.verbs.get("GET" if method == "HEAD" else method)
        if verb is not None and any(rest) and not verb.about:
            route = verb = None
        who = self._guard.who(request)
        try:
            caller = self._admit(request, route, verb)
            if route is None:
                raise NotFound(f"there is nothing at /{'/'.join(segments)}; {self._listing}")
            if verb is None:
                request.setHeader(b"Allow", ", ".join(route.verbs).encode())
                problem = f"/{'/'.join(segments)} takes {' or '.join(route.verbs)}, not {method}"
                return self._send(request, JSON, {"problems": [problem]}, 405)
            who = caller.name
            order = _order_of(verb, request, rest)
        except (HubError, *MALFORMED) as error:
            if route is not None and verb is not None and verb.access == "actions":
                self._audit.refused(who, route.action, str(error))
            return self._send(request, JSON, {"problems": [str(error)]}, code_of(error))
        if verb.access == "contents":
            self._audit.read(who, route.action)
        is_action = verb.access == "actions"
        note = partial(self._audit.note, who, route.action, order) if is_action else lambda outcome: None
        self._carry_out(verb, Call(request, order, caller, note))
        return NOT_DONE_YET

    def _find(self, segments: Sequence[str]) -> tuple[Route | None, list[str]]:
        """The route of the longest path that the segments begin with, and the segments after it."""
        for routes in (self._routes, _routes(self._plugins())):
            for length in range(len(segments), 0, -1):
                route, rest = routes.get(tuple(segments[:length])), list(segments[length:])
                trailing_slash = rest == [""] and segments[0] != ""
                if route is not None and (trailing_slash or _takes(route, rest)):
                    return route, rest
        return None, []

    def _admit(self, request: Request, route: Route | None, verb: Verb | None) -> Caller:
        """Admit the caller, also for unknown paths: strangers without access must not learn which paths exist."""
        if route is None:
            return self._guard.admit(request, "numbers")
        if verb is None:
            verb = next(iter(route.verbs.values()))
            return self._guard.admit(request, "open" if verb.access == "open" else "numbers", verb.any_host)
        return self._guard.admit(request, verb.access, verb.any_host, verb.any_origin)

    def _carry_out(self, verb: Verb, call: Call) -> None:
        """Run the verb and answer when it is done, unless the client is gone by then."""
        request = call.request
        gone: list[object] = []
        request.notifyFinish().addBoth(gone.append)
        if verb.access == "actions":
            request.notifyFinish().addBoth(lambda _: self._changed() if request.code == OK else None)
        if verb.endless and request.method == b"HEAD":
            self._send(request, verb.media, b"")
            return

        def finish(result: object) -> None:
            if result is NOT_DONE_YET:
                return
            content, media, code, outcome = result, verb.media, OK, "done"
            if isinstance(result, Failure):
                content, code, outcome = self._refusal(result.value or RuntimeError(), call)
                media = JSON
            elif problem := getattr(result, "problem", ""):
                outcome = str(problem)
            elif getattr(result, "stored", True) is False:
                outcome = NOT_STORED
            call.note(outcome)
            if not gone:
                self._send(request, media, content, code)

        maybeDeferred(verb.handle, call).addBoth(finish)

    def _refusal(self, error: BaseException, call: Call) -> tuple[object, int, str]:
        """Content, code and outcome for an error."""
        code = code_of(error)
        problems = error.problems if isinstance(error, ConfigError) else [str(error)]
        if code == INTERNAL_SERVER_ERROR:
            path = printable(call.request.path.decode("latin-1"))
            self._log.error("%s failed", path, exc_info=error, extra={"action": "bug"})
            problems = [f"{BUG}: {error}" if call.caller.contents else BUG]
        return {"problems": problems}, code, f"refused: {error}"

    def _send(self, request: Request, media: str, content: object, code: int = OK) -> int:
        """Send a whole answer. One that JSON can't hold is answered as an internal error, so that no client waits
        forever."""
        if isinstance(content, Stream):
            request.setHeader(b"Content-Type", media.encode())
            Streaming(request, content.pieces, self._log).start()
            return NOT_DONE_YET
        if isinstance(content, Document):
            media, code = content.media, content.code
            content = content.body
        try:
            body = content if isinstance(content, bytes) else msgspec.json.encode(content) + b"\n"
        except Exception as error:  # noqa: BLE001 - see above
            self._log.error("an answer can't be written as JSON", exc_info=error, extra={"action": "bug"})
            body, code = msgspec.json.encode({"problems": [BUG]}) + b"\n", INTERNAL_SERVER_ERROR
        if len(body) >= LARGE and self._crowded(len(body)):
            body, media, code = msgspec.json.encode({"problems": [CROWDED]}) + b"\n", JSON, SERVICE_UNAVAILABLE
        request.setResponseCode(code)
        request.setHeader(b"Content-Type", media.encode())
        if not (request.method == b"HEAD" and not body):
            request.setHeader(b"Content-Length", str(len(body)).encode())
        request.write(body)
        request.finish()
        return NOT_DONE_YET


def _routes(mounts: Mounts) -> dict[tuple[str, ...], Route]:
    found: dict[tuple[str, ...], Route] = {}
    for prefix, verbs in mounts.items():
        for verb in verbs:
            place = "/".join(filter(None, (prefix, verb.path)))
            action = verb.path if prefix in OWN_PREFIXES else place
            found.setdefault(tuple(map(unquote, place.split("/"))), Route({}, action)).verbs[verb.method] = verb
    return found


def _takes(route: Route, rest: Sequence[str]) -> bool:
    """True if the route accepts the rest of the path."""
    return not rest or any(verb.about for verb in route.verbs.values())


def _order_of(verb: Verb, request: Request, rest: Sequence[str]) -> msgspec.Struct:
    """Parse the order of a request. :raises ValueError: it is invalid."""
    if verb.order is Nothing:
        return Nothing()
    if verb.method == "POST":
        content = request.content.read(BODY_LIMIT).decode()  # type: ignore[union-attr]
        return msgspec.json.decode(content, type=verb.order)
    fields: dict[str, Any] = {}
    for field in msgspec.structs.fields(verb.order):
        values = [value.decode() for value in (request.args or {}).get(field.name.encode(), [])]
        if values:
            fields[field.name] = values if field.type == list[str] else values[-1]
    if verb.about:
        fields[verb.about] = "/".join(rest)
    return msgspec.convert(fields, verb.order, strict=False)


def code_of(error: BaseException) -> int:
    """The HTTP code of an error."""
    if isinstance(error, Forbidden):
        return error.code
    if isinstance(error, NotFound):
        return NOT_FOUND
    if isinstance(error, Unavailable):
        return SERVICE_UNAVAILABLE
    if isinstance(error, MALFORMED):
        return BAD_REQUEST
    return CONFLICT if isinstance(error, HubError) else INTERNAL_SERVER_ERROR
