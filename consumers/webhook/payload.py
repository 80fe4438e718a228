"""Payloads: what is sent for a message, in each format."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from hub import Message, jsontext
from hub.cloudevents import CONTENT_TYPE, STRUCTURED, CloudEvent, NoEvent, event_of, write_structured
from hub.consumers.sending.field import Content, parse
from hub.consumers.sending.outcome import ForGood
from hub.consumers.sending.template import Template
from hub.consumers.webhook.fields import FieldsTemplate, merged
from hub.consumers.webhook.settings import Config
from hub.text import encodable

JSON = "application/json"
PRINTABLE = "".join(map(chr, range(0x20, 0x7F)))
_TYPE = re.compile(r"[!-~]+/[ -~]+")
SLACK_TEXT, NTFY_TEXT, FCM_TEXT, TITLE = 40_000, 4096, 2000, 250
"""Bytes of texts and titles in UTF-8, below what each service takes: FCM has 4096 bytes for all that is in a message,
and ntfy makes a file of what is longer."""
_NTFY_TOPIC = re.compile(r"[-_A-Za-z0-9]{1,64}")
_FCM_TOPICS = "/topics/"
_TIME, _BODY = parse("time"), parse("body")


class Payload(msgspec.Struct, frozen=True):
    """What is sent. :ivar kind: its media type. :ivar headers: that belong to it."""

    body: bytes
    kind: str
    headers: Mapping[str, str] = {}


class Payloads:
    """Makes the payloads of one consumer. :raises ValueError: a template's syntax is wrong."""

    def __init__(self, config: Config) -> None:
        self._source = config.cloudevents_source
        self._text = Template(config.text)
        self._title = None if config.title is None else Template(config.title)
        self._to = None if config.to is None else Template(config.to)
        self._fields = FieldsTemplate(config.fields)
        self._headers = {name: Template(text) for name, text in config.headers.items()}
        makers: dict[str, Callable[[Content], Payload]] = {
            "standard": _standard,
            "body": _as_it_is,
            "cloudevents": self._structured,
            "cloudevents-binary": self._binary,
            "json": lambda content: _json(self._fields.render(content)),
            "text": lambda content: Payload(self._text.render(content).encode(), "text/plain; charset=utf-8"),
            "slack": self._slack,
            "ntfy": self._ntfy,
            "fcm": self._fcm,
        }
        self._make = makers[config.format]

    def of(self, content: Content) -> Payload:
        """The payload of a message. :raises ForGood: the message does not fit the format, or lacks a field."""
        made = self._make(content)
        more = {name: header_text(template.render(content)) for name, template in self._headers.items()}
        return Payload(made.body, made.kind, {**made.headers, **more})

    def _slack(self, content: Content) -> Payload:
        text = cut(self._text.render(content, _for_slack), SLACK_TEXT)
        return _json(merged({"text": text}, self._fields.render(content)))

    def _ntfy(self, content: Content) -> Payload:
        topic = self._rendered(self._to, content)
        if not _NTFY_TOPIC.fullmatch(topic):
            raise ForGood(f"'to' gives {topic[:80]!r}, which is no topic of ntfy")
        found = {"topic": topic, "message": cut(self._text.render(content), NTFY_TEXT)}
        if self._title is not None:
            found["title"] = cut(self._title.render(content), TITLE)
        return _json(merged(found, self._fields.render(content)))

    def _fcm(self, content: Content) -> Payload:
        to = self._rendered(self._to, content)
        topic = to.removeprefix(_FCM_TOPICS) if to.startswith(_FCM_TOPICS) else None
        if not to or topic == "":
            raise ForGood("'to' gives no token and no topic")
        shown = {"body": cut(self._text.render(content), FCM_TEXT)}
        if self._title is not None:
            shown["title"] = cut(self._title.render(content), TITLE)
        whom = {"token": to} if topic is None else {"topic": topic}
        return _json({"message": merged({**whom, "notification": shown}, self._fields.render(content))})

    def _structured(self, content: Content) -> Payload:
        return Payload(write_structured(self._event(content.message)), f"{STRUCTURED}; charset=utf-8")

    def _binary(self, content: Content) -> Payload:
        event = self._event(content.message)
        attributes = {name: value for name, value in event.attributes.items() if name != "datacontenttype"}
        headers = {f"ce-{name}": _attribute(value) for name, value in attributes.items()}
        kind = str(event.attributes.get("datacontenttype", "application/octet-stream"))
        return Payload(event.data, kind if _TYPE.fullmatch(kind) else "application/octet-stream", headers)

    def _event(self, message: Message) -> CloudEvent:
        try:
            return event_of(message, self._source, message.received_at)
        except NoEvent as error:
            raise ForGood(str(error)) from error

    @staticmethod
    def _rendered(template: Template | None, content: Content) -> str:
        return "" if template is None else template.render(content)


def header_text(text: str) -> str:
    """A text as the value of a header: what is not printable ASCII is percent-encoded, so that it ends no line."""
    return quote(text, safe=PRINTABLE).strip()


def cut(text: str, most: int) -> str:
    """The beginning of a text, at most so many bytes in UTF-8, with an ellipsis if it was longer."""
    raw = text.encode()
    return text if len(raw) <= most else raw[: most - 3].decode("utf-8", "ignore") + "\u2026"


def _standard(content: Content) -> Payload:
    message = content.message
    data: object = (
        msgspec.Raw(message.body) if _strict(message.body) else message.body.decode("utf-8", "backslashreplace")
    )
    time = content.value(_TIME)
    return Payload(msgspec.json.encode({"type": encodable(message.topic), "timestamp": time, "data": data}), JSON)


def _as_it_is(content: Content) -> Payload:
    message = content.message
    kind = str(message.headers.get(CONTENT_TYPE, JSON if _strict(message.body) else "application/octet-stream"))
    return Payload(message.body, kind if _TYPE.fullmatch(kind) else "application/octet-stream")


def _strict(body: bytes) -> bool:
    """True if any reader of JSON takes it; the decoder does not look into all texts."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return jsontext.is_strict(body)


def _json(value: dict[str, Any]) -> Payload:
    return Payload(jsontext.write(value), JSON)


def _for_slack(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _attribute(value: object) -> str:
    """An attribute as a header, section 3.1.3.2 of CloudEvents' HTTP binding."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return quote(encodable(text), safe="".join(c for c in PRINTABLE if c not in ' "%'))
