"""A verb: one method of one path of the HTTP API.

Its class declares path, method, access, order and answer. The validation of requests, the OpenAPI document and the
audit log use this one declaration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import msgspec

from hub.http.access import Access, Caller

if TYPE_CHECKING:
    from twisted.web.server import Request

JSON = "application/json"
LINES = "application/x-ndjson"
HTML = "text/html; charset=utf-8"
NOT_DONE_YET = 1
"""Same as ``twisted.web.server.NOT_DONE_YET``, whose import would load a web server."""


class Nothing(msgspec.Struct):
    """An order or an answer without content."""


class Document(msgspec.Struct, frozen=True):
    """A whole answer that is not plain JSON with the code 200."""

    media: str
    body: bytes
    code: int = 200


class Stream(msgspec.Struct, frozen=True):
    """A large answer: pieces of its body, each made when the client has read the one before it."""

    pieces: Iterator[bytes]


@dataclass(frozen=True)
class Call:
    """A request for a verb, admitted and parsed.

    :ivar order: an instance of ``Verb.order``.
    :ivar note: writes the outcome of an action to the audit log; needed only if the verb returns ``NOT_DONE_YET``.
    """

    request: Request
    order: Any
    caller: Caller
    note: Callable[[str], None] = field(repr=False)


class Verb:
    """Base class of verbs. The docstring's first paragraph is the summary in the OpenAPI document, the rest the
    description.

    :cvar path: path below the prefix of the mount; it may have slashes.
    :cvar about: field of the order that follows the path in the URL; empty: nothing may follow.
    :cvar access: access that the caller needs; calls of a verb with ``actions`` are written to the audit log.
    :cvar order: type of the order: the JSON body of a POST, the query of a GET.
    :cvar result: type of the answer. :cvar media: its content type.
    :cvar endless: true if the answer ends only when the client hangs up.
    :cvar any_origin: true if pages of other sites may send requests, because the verb checks their origin itself.
    :cvar any_host: true if requests may have any host name, or none, as those of health checks.
    """

    path: ClassVar[str]
    method: ClassVar[Literal["GET", "POST"]] = "GET"
    access: ClassVar[Access] = "numbers"
    about: ClassVar[str] = ""
    order: ClassVar[type[msgspec.Struct]] = Nothing
    result: ClassVar[Any] = dict[str, Any]
    media: ClassVar[str] = JSON
    endless: ClassVar[bool] = False
    any_host: ClassVar[bool] = False
    any_origin: ClassVar[bool] = False

    def carry_out(self, order: Any) -> object:
        """Return the answer, or a Deferred of it: a JSON value, ``bytes`` of the type ``media``, a :class:`Document` or
        a :class:`Stream`. Called in the reactor's thread, so it must not block. An error is answered with the code of
        :func:`hub.http.api.code_of`.
        """
        raise NotImplementedError

    def handle(self, call: Call) -> object:
        """Handle a call, for a verb that needs the request or the caller; returns as ``carry_out``. ``NOT_DONE_YET``:
        it answers by itself."""
        return self.carry_out(call.order)


Mounts = Mapping[str, Sequence[Verb]]
"""Verbs by prefix of their paths, such as ``consumers/mail``, with names quoted for URLs; empty: at the root."""
