"""What is sent in each format, whatever is in the message."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import Message, jsontext
from hub.consumers.sending.field import Content
from hub.consumers.sending.outcome import ForGood
from hub.consumers.webhook.payload import FCM_TEXT, TITLE, Payload, Payloads, cut, header_text
from hub.consumers.webhook.settings import Config

HOSTILE = "".join(map(chr, range(0x20))) + "\x7f\x80\x9f\u2028\u202e\ufeff\ufffe\U0001f600</script>'\"&<>{}%"
URL = {"url": "https://example.org/"}


def made(body: bytes, had: dict[str, Any] | None = None, **settings: Any) -> Payload:
    found = Payloads(Config.model_validate(URL | settings))
    return found.of(Content(Message("7", "org.x", body, had or {}, received_at=1_700_000_000.0)))


def test_the_standard_one_has_the_body_byte_for_byte() -> None:
    payload = made(b' {"n": 1.50, "big": 123456789012345678901234567890}')
    assert payload.kind == "application/json"
    assert payload.body == (
        b'{"type":"org.x","timestamp":"2023-11-14T22:13:20Z","data": '
        b'{"n": 1.50, "big": 123456789012345678901234567890}}'
    )


@pytest.mark.parametrize("body", [b"", b"\xff\x00", b"NaN", b'{"a": "\\ud800"}', b'"\xff"', b"{", HOSTILE.encode()])
def test_what_is_no_json_is_a_text(body: bytes) -> None:
    assert json.loads(made(body).body)["data"] == body.decode("utf-8", "backslashreplace")


@pytest.mark.parametrize(
    ("body", "headers", "kind"),
    [
        (b"{}", {}, "application/json"),
        (b"\xff", {}, "application/octet-stream"),
        (b"<a/>", {"content-type": "text/xml; charset=utf-8"}, "text/xml; charset=utf-8"),
        (b"x", {"content-type": "text/xml\r\nX-Evil: 1"}, "application/octet-stream"),
        (b"x", {"content-type": "\u20ac/x"}, "application/octet-stream"),
        (b"x", {"content-type": 7}, "application/octet-stream"),
    ],
)
def test_the_body_as_it_is(body: bytes, headers: dict[str, Any], kind: str) -> None:
    payload = made(body, headers, format="body")
    assert (payload.body, payload.kind) == (body, kind)


def test_an_event_as_json() -> None:
    payload = made(b'{"a": 1}', {"ce-source": "/there"}, format="cloudevents")
    assert payload.kind == "application/cloudevents+json; charset=utf-8"
    assert json.loads(payload.body) == {
        "specversion": "1.0",
        "id": "7",
        "source": "/there",
        "type": "org.x",
        "time": "2023-11-14T22:13:20Z",
        "datacontenttype": "application/json",
        "data": {"a": 1},
    }


def test_an_event_in_headers() -> None:
    headers = {"ce-subject": 'a "\u20ac" 100%', "content-type": "text/plain"}
    payload = made(b"x", headers, format="cloudevents-binary", cloudevents_source="/hub")
    assert (payload.body, payload.kind) == (b"x", "text/plain")
    assert payload.headers == {
        "ce-specversion": "1.0",
        "ce-id": "7",
        "ce-source": "/hub",
        "ce-type": "org.x",
        "ce-time": "2023-11-14T22:13:20Z",
        "ce-subject": "a%20%22%E2%82%AC%22%20100%25",
    }


@pytest.mark.parametrize(
    "headers", [{"ce-source": "a b"}, {"ce-a\r\nX": "1"}, {"ce-Upper": "1"}, {"content-type": "x\n"}]
)
@pytest.mark.parametrize("format", ["cloudevents", "cloudevents-binary"])
def test_what_is_no_event_is_a_dead_letter(headers: dict[str, Any], format: str) -> None:
    with pytest.raises(ForGood):
        made(b"x", headers, format=format)


def test_slack() -> None:
    body = jsontext.write({"x": HOSTILE})
    sent = json.loads(made(body, format="slack", text="*{{x}}* {body.x}", fields={"username": "{topic}"}).body)
    escaped = HOSTILE.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert sent == {"text": f"*{{x}}* {escaped}", "username": "org.x"}


def test_ntfy() -> None:
    payload = made(
        b'{"t": "alerts"}', format="ntfy", to="{body.t}", text="{id}", title="{topic}", fields={"priority": 4}
    )
    assert json.loads(payload.body) == {"topic": "alerts", "message": "7", "title": "org.x", "priority": 4}
    for wrong in ("a/b", "", "a" * 65, "a\nb"):
        with pytest.raises(ForGood, match="which is no topic of ntfy"):
            made(jsontext.write({"t": wrong}), format="ntfy", to="{body.t}")


def fcm(body: bytes, **settings: Any) -> Any:
    more = {"to": "{body.to}", "bearer": "file:/x", "format": "fcm"}
    return json.loads(made(body, **(more | settings)).body)["message"]


def test_fcm() -> None:
    fields = {"data": {"id": "{id}"}, "notification": {"image": "https://x/"}}
    assert fcm(b'{"to": "device"}', title="{topic}", fields=fields) == {
        "token": "device",
        "notification": {"body": "org.x", "title": "org.x", "image": "https://x/"},
        "data": {"id": "7"},
    }
    assert fcm(b'{"to": "/topics/news"}')["topic"] == "news"
    for wrong in (b'{"to": ""}', b'{"to": "/topics/"}', b"{}"):
        with pytest.raises(ForGood):
            fcm(wrong)


def test_long_texts_are_cut_where_the_service_would_refuse_them() -> None:
    body = jsontext.write({"to": "d", "x": "\u20ac" * 1_000_000})
    found = fcm(body, text="{body.x}", title="{body.x}")["notification"]
    assert len(found["body"].encode()) <= FCM_TEXT
    assert len(found["title"].encode()) <= TITLE
    assert found["body"].endswith("\u20ac\u2026")


@given(st.text(), st.integers(3, 50))
def test_a_cut_is_within_its_bytes(text: str, most: int) -> None:
    found = cut(text, most)
    assert len(found.encode()) <= most
    assert found == text or text.startswith(found[:-1])


@given(st.text())
def test_a_header_is_one_line_of_printable_ascii(text: str) -> None:
    found = header_text(text)
    assert found.isascii()
    assert not found or found.isprintable()


def test_headers_are_templates() -> None:
    payload = made(jsontext.write({"x": HOSTILE}), headers={"X-Tag": "{topic}: {body.x}"})
    assert payload.headers["X-Tag"].startswith("org.x: %00%01")
    assert "\r" not in payload.headers["X-Tag"]


def test_a_json_of_ones_own_and_a_text() -> None:
    assert json.loads(made(b'{"a": "\\u0000"}', format="json", fields={"k": {"v": "{body.a}"}}).body) == {
        "k": {"v": "\0"}
    }
    payload = made(b"{}", format="text", text="\u20ac {topic}")
    assert (payload.body, payload.kind) == ("\u20ac org.x".encode(), "text/plain; charset=utf-8")
    with pytest.raises(ForGood, match=r"'body\.none'"):
        made(b"{}", format="json", fields={"ok": "{topic}", "no": "{body.none}"})
