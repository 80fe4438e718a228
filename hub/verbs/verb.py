"""What every verb is made of: a resource that answers in JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import msgspec
from twisted.internet.defer import Deferred
from twisted.web.resource import Resource
from twisted.web.server import Request

from hub.configuration.schema import Configuration
from hub.enqueuer import Enqueuer
from hub.errors import CannotPublish, HubError
from hub.publisher import Publisher
from hub.steering import NoSuchQueue, Steering

BODY_LIMIT = 16 << 20
Order = TypeVar("Order")


class Hub(Protocol):
    """What the verbs are carried out on: a :class:`hub.service.Service`."""

    reactor: Any
    configuration: Configuration
    enqueuer: Enqueuer
    publisher: Publisher
    steering: Steering

    def snapshot(self) -> dict[str, Any]:
        """The status."""

    def reload(self) -> Deferred[list[str]]:
        """Apply the configuration anew."""


class Verb(Resource):
    """One path, with all that is below it."""

    isLeaf = True

    def __init__(self, hub: Hub) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.hub = hub


def answer(request: Request, content: object, code: int = 200) -> bytes:
    """To be returned, or written."""
    request.setResponseCode(code)
    request.setHeader(b"Content-Type", b"application/json")
    return msgspec.json.encode(content) + b"\n"


def order_of(request: Request, kind: type[Order]) -> Order:
    """The body of the request. :raises ValueError: it is not what is expected."""
    content = request.content.read(BODY_LIMIT).decode()  # type: ignore[union-attr]
    return msgspec.json.decode(content, type=kind)


def carried_out(request: Request, work: Callable[[], object]) -> bytes:
    """The answer that ``work`` gives, or what is wrong with the order."""
    try:
        return answer(request, work())
    except NoSuchQueue as error:
        return answer(request, {"problems": [str(error)]}, 404)
    except (msgspec.DecodeError, CannotPublish, TypeError, ValueError, RecursionError) as error:
        return answer(request, {"problems": [str(error)]}, 400)
    except HubError as error:
        return answer(request, {"problems": [str(error)]}, 409)


def name_of(request: Request) -> str:
    """What follows the verb in the path."""
    return b"/".join(request.postpath or []).decode("utf-8", "replace")
