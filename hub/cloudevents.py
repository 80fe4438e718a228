"""CloudEvents 1.0 (https://github.com/cloudevents/spec): attributes and data of an event, and both modes. Pure.

A message of the hub has the data for its body, the event's id for its id, and the other attributes as headers whose
names begin with ``ce-``; ``datacontenttype`` is the header ``content-type``.
"""

from __future__ import annotations

import base64
import binascii
import re
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hub import jsontext
from hub.json_body import NoObject, read_object
from hub.message import HeaderValue, Message
from hub.text import encodable, printable

PREFIX = "ce-"
CONTENT_TYPE = "content-type"
STRUCTURED = "application/cloudevents+json"
_REQUIRED = ("specversion", "id", "source", "type")
_NAME = re.compile(r"[a-z0-9]+")
_TEXTS = {
    "id": (re.compile(r".+", re.DOTALL), "a text that is not empty"),
    "type": (re.compile(r".+", re.DOTALL), "a text that is not empty"),
    "subject": (re.compile(r".+", re.DOTALL), "a text that is not empty"),
    "source": (re.compile(r"[^\s\x00-\x1f\x7f]+"), "a URI reference"),
    "dataschema": (re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s\x00-\x1f\x7f]*"), "a URI"),
    "datacontenttype": (re.compile(r"[^\s/;]+/[^\s/;]+\s*(;.*)?"), "a media type"),
    "time": (
        re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII),
        "a time as RFC 3339 has it",
    ),
}
"""The attributes that the specification names: their form, and what it is called."""
_LEAST, _MOST = -(1 << 31), (1 << 31) - 1
"""Whole numbers of an attribute."""
_SHOWN = 40
"""Characters of a wrong value that are shown."""


class NoEvent(Exception):
    """A message is no event. :ivar kind: malformed input is counted by it."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind


class CloudEvent:
    """An event. :ivar attributes: by name, with ``id`` and ``datacontenttype``. :ivar data: the message's body.

    :param attributes: as they came: a list is refused, as is all else that is no value of an attribute.
    :raises NoEvent: an attribute that each event has is missing, the version is another one, or an attribute's name or
        value is none of CloudEvents'.
    """

    attributes: Mapping[str, HeaderValue]

    def __init__(self, attributes: Mapping[str, Any], data: bytes) -> None:
        self.attributes = attributes
        self.data = data
        missing = [name for name in _REQUIRED if attributes.get(name) in (None, "")]
        if missing:
            raise NoEvent("cloudevent", f"the event has no {', '.join(missing)}")
        if attributes["specversion"] != "1.0":
            raise NoEvent("cloudevent", f"the event is of CloudEvents {str(attributes['specversion'])[:10]!r}, not 1.0")
        for name, value in attributes.items():
            _check(name, value)

    @property
    def id(self) -> str:
        """Id of the message."""
        return str(self.attributes["id"])

    def headers(self) -> dict[str, HeaderValue]:
        """Headers of the message."""
        others = {name: value for name, value in self.attributes.items() if name not in ("id", "datacontenttype")}
        found: dict[str, HeaderValue] = {PREFIX + name: value for name, value in others.items()}
        if "datacontenttype" in self.attributes:
            found[CONTENT_TYPE] = self.attributes["datacontenttype"]
        return found


def event_of(message: Message, source: str, now: float) -> CloudEvent:
    """Make an event of a message. Without headers ``ce-type``, ``ce-source``, ``ce-time`` it has the topic, ``source``
    and the time.

    :param now: epoch seconds.
    """
    attributes: dict[str, HeaderValue] = {
        "specversion": "1.0",
        "id": message.id,
        "source": source,
        "type": message.topic,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
    }
    own = {name[len(PREFIX) :]: value for name, value in message.headers.items() if name.startswith(PREFIX)}
    attributes.update({name: value for name, value in own.items() if name not in ("id", "specversion")})
    if CONTENT_TYPE in message.headers:
        attributes["datacontenttype"] = message.headers[CONTENT_TYPE]
    elif jsontext.is_strict(message.body):
        attributes["datacontenttype"] = "application/json"
    return CloudEvent(attributes, message.body)


def write_structured(event: CloudEvent) -> bytes:
    """The body that is the whole event."""
    content: dict[str, Any] = dict(event.attributes)
    if is_json(event):
        # A text there would be data that is a text, so what is not JSON after all goes as bytes.
        if jsontext.is_strict(event.data):
            return jsontext.write(content | {"data": jsontext.read(event.data)})
    else:
        try:
            return jsontext.write(content | {"data": event.data.decode()})
        except UnicodeDecodeError:
            pass
    return jsontext.write(content | {"data_base64": base64.b64encode(event.data).decode()})


def read_structured(body: bytes) -> CloudEvent:
    """Read a whole event. :raises NoEvent: it is none."""
    try:
        content = read_object(body)
    except NoObject as error:
        raise NoEvent(error.kind, str(error)) from error
    data, encoded = content.pop("data", None), content.pop("data_base64", None)
    # An attribute that is null counts as missing.
    attributes = {encodable(name): _encodable(value) for name, value in content.items() if value is not None}
    if encoded is not None:
        if data is not None:
            raise NoEvent("cloudevent", "the event has both data and data_base64")
        if not isinstance(encoded, str):
            raise NoEvent("cloudevent", "data_base64 is no text")
        try:
            return CloudEvent(attributes, base64.b64decode(encoded, validate=True))
        except (binascii.Error, ValueError) as error:
            raise NoEvent("cloudevent", f"data_base64 is not base64: {error}") from error
    kind = str(attributes.get("datacontenttype", "application/json"))
    if isinstance(data, str) and not _names_json(kind):
        return CloudEvent(attributes, data.encode(errors="backslashreplace"))
    return CloudEvent(attributes, b"" if data is None else jsontext.write(data))


def _encodable(value: Any) -> Any:
    return encodable(value) if isinstance(value, str) else value


def _check(name: str, value: Any) -> None:
    """Check an attribute. :raises NoEvent: it can't be."""
    shown = f"the event's attribute {printable(name[:_SHOWN])}"
    if not _NAME.fullmatch(name) or name == "data":
        raise NoEvent("cloudevent", f"{shown} has no name of an attribute: small letters and digits, and not 'data'")
    if name in _TEXTS:
        form, what = _TEXTS[name]
        if not isinstance(value, str) or not form.fullmatch(value) or (name == "time" and not _is_moment(value)):
            raise NoEvent("cloudevent", f"{shown} is {printable(str(value)[:_SHOWN])!r}: expected {what}")
    elif not isinstance(value, (str, bool)) and not (type(value) is int and _LEAST <= value <= _MOST):
        found = printable(str(value)[:_SHOWN])
        raise NoEvent("cloudevent", f"{shown} is {found}: expected a text, true or false, or a whole number of 32 bits")


def _is_moment(text: str) -> bool:
    """True if there is such a time. The second of the clock may be a leap second."""
    try:
        datetime.fromisoformat(text[:17].upper() + ("59" if text[17:19] == "60" else text[17:19]) + _zone(text))
    except ValueError:
        return False
    return True


def _zone(text: str) -> str:
    return "+00:00" if text[-1] in "zZ" else text[-6:]


def is_json(event: CloudEvent) -> bool:
    """True if the data is JSON, as its type says. Without a type it is."""
    return _names_json(str(event.attributes.get("datacontenttype", "application/json")))


def _names_json(kind: str) -> bool:
    name = kind.partition(";")[0].strip().lower()
    return name.endswith(("/json", "+json"))
