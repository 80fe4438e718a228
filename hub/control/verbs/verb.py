"""What every verb is made of: it takes an order, carries it out, and answers in JSON.

A verb declares its path, method, order and answer, so that the OpenAPI document is made from the same declarations that
check what comes.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Protocol

import msgspec
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.python.failure import Failure
from twisted.web.server import NOT_DONE_YET, Request

from hub.configuration.schema import Configuration
from hub.control.audit import Audit
from hub.control.steering import NoSuchQueue, Steering
from hub.enqueuer import Enqueuer
from hub.errors import CannotPublish, ConfigError, Forbidden, HubError
from hub.interfaces import Access, Guard
from hub.partlog import part_log
from hub.parts.changes import Outcome
from hub.publisher import Publisher

BODY_LIMIT = 16 << 20
MALFORMED = (msgspec.DecodeError, CannotPublish, ValueError, RecursionError)
"""What a bad order is met with, wherever it is noticed."""


NOT_STORED = "done, but not on the disk yet"
STORE_TIMEOUT = 10.0
"""Seconds that an answer waits for the disk."""


class Hub(Protocol):
    """What the verbs are carried out on: a :class:`hub.service.Service`."""

    reactor: Any
    configuration: Configuration
    enqueuer: Enqueuer
    publisher: Publisher
    steering: Steering
    audit: Audit

    def snapshot(self) -> dict[str, Any]:
        """The status."""

    def reload(self) -> Deferred[Outcome]:
        """Apply the configuration anew."""


class Nothing(msgspec.Struct):
    """There is nothing to say."""


class Named(msgspec.Struct, forbid_unknown_fields=True):
    """A consumer."""

    consumer: str


class Verb:
    """One method of one path.

    :cvar path: the first part of the path. :cvar about: which field of the order follows it in the path.
    :cvar order: what is asked for: the JSON body of a POST, the query of a GET.
    :cvar result: the type of the answer. :cvar media: its content type.
    :cvar stores: whether it is done only once the disk has it; the answer has a field ``stored`` then.
    """

    path: ClassVar[str]
    method: ClassVar[Literal["GET", "POST"]] = "GET"
    access: ClassVar[Access] = "numbers"
    about: ClassVar[str] = ""
    order: ClassVar[type[msgspec.Struct]] = Nothing
    result: ClassVar[Any] = dict[str, Any]
    media: ClassVar[str] = "application/json"
    stores: ClassVar[bool] = False

    def __init__(self, hub: Hub, guard: Guard) -> None:
        self.hub = hub
        self.guard = guard

    def carry_out(self, order: Any) -> object:
        """What to answer, or a Deferred of it. What it raises is answered with the code of :func:`code_of`."""
        raise NotImplementedError

    def render(self, request: Request) -> int:
        """Admit, understand, carry out, note, answer."""
        who = self.guard.who(request)
        try:
            who = self.guard.admit(request, self.access)
            order = self._order_of(request)
        except (Forbidden, *MALFORMED) as error:
            if self.access == "actions":
                self.hub.audit.refused(who, self.path, str(error))
            return answer(request, {"problems": [str(error)]}, code_of(error))
        if self.access == "contents":
            self.hub.audit.read(who, self.path)
        self.respond(request, order, who)
        return NOT_DONE_YET

    def respond(self, request: Request, order: Any, who: str) -> None:
        """Carry it out, and answer when that is over."""
        gone: list[object] = []
        request.notifyFinish().addBoth(gone.append)

        def finish(result: object) -> None:
            content, code, outcome = result, 200, "done"
            if isinstance(result, Failure):
                content, code, outcome = self._refusal(result.value or RuntimeError())
            elif self.stores and not getattr(result, "stored", True):
                outcome = NOT_STORED
            self.note(who, order, outcome)
            if not gone:
                answer(request, content, code)

        carried_out = maybeDeferred(self.carry_out, order)
        if self.stores:
            carried_out.addCallback(lambda result: when_stored(self.hub, result))
        carried_out.addBoth(finish)

    def note(self, who: str, order: Any, outcome: str) -> None:
        """For the audit log, if it is an action."""
        if self.access == "actions":
            self.hub.audit.note(who, self.path, order, outcome)

    def _refusal(self, error: BaseException) -> tuple[object, int, str]:
        """Content, code and outcome."""
        code = code_of(error)
        if code == 500:
            part_log("hub", "api").error("/%s failed", self.path, exc_info=error, extra={"action": "bug"})
        problems = error.problems if isinstance(error, ConfigError) else [str(error)]
        return {"problems": problems}, code, f"refused: {error}"

    def _order_of(self, request: Request) -> msgspec.Struct:
        """:raises ValueError: it is not what is expected."""
        if self.order is Nothing:
            return Nothing()
        if self.method == "POST":
            content = request.content.read(BODY_LIMIT).decode()  # type: ignore[union-attr]
            return msgspec.json.decode(content, type=self.order)
        fields: dict[str, Any] = {}
        for field in msgspec.structs.fields(self.order):
            values = [value.decode() for value in (request.args or {}).get(field.name.encode(), [])]
            if values:
                fields[field.name] = values if field.type == list[str] else values[-1]
        if self.about:
            fields[self.about] = b"/".join(request.postpath or []).decode("utf-8", "replace")
        return msgspec.convert(fields, self.order, strict=False)


def when_stored(hub: Hub, result: Any) -> Deferred[Any]:
    """Fires with the result of an order once all that it did is on the disk. Where the disk does not take it for
    ``STORE_TIMEOUT`` seconds, for it is full, the field ``stored`` of the result is false."""
    ended: Deferred[Any] = Deferred()

    def end(stored: bool) -> None:
        if not ended.called:
            result.stored = stored
            if timer.active():
                timer.cancel()
            ended.callback(result)

    timer = hub.reactor.callLater(STORE_TIMEOUT, end, False)
    hub.steering.when_stored(lambda: hub.reactor.callFromThread(end, True))
    return ended


def answer(request: Request, content: object, code: int = 200) -> int:
    """The whole answer, as JSON. What can't be told is a fault of ours, and said so: nobody waits for it forever."""
    try:
        body = msgspec.json.encode(content)
    except Exception as error:  # noqa: BLE001 - see above
        part_log("hub", "api").error("an answer can't be told as JSON", exc_info=error, extra={"action": "bug"})
        body, code = msgspec.json.encode({"problems": ["the hub itself failed; its log says why"]}), 500
    request.setResponseCode(code)
    request.setHeader(b"Content-Type", b"application/json")
    request.write(body + b"\n")
    request.finish()
    return NOT_DONE_YET


def code_of(error: BaseException) -> int:
    """The HTTP code that says what kind of error it is."""
    if isinstance(error, Forbidden):
        return error.code
    if isinstance(error, NoSuchQueue):
        return 404
    if isinstance(error, MALFORMED):
        return 400
    return 409 if isinstance(error, HubError) else 500
