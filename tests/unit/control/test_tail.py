"""Messages as they come, to a real client; and one that stops reading."""

from __future__ import annotations

import socket
import threading
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred

from hub.control.tail import Tail, _line
from hub.message import Message
from hub.subscriptions import Subscriptions
from tests.support import wait_until
from tests.unit.control_hub import ControlledHub
from tests.unit.doubles import message

BUFFER_BOUND = 4 << 20


def tailing(hub: ControlledHub, count: int, **query: str) -> tuple[threading.Thread, list[Any]]:
    """A client in a thread, once it is known to the hub."""
    lines: list[Any] = []
    before = len(hub.enqueuer.subscriptions)

    def read() -> None:
        for line in hub.client().lines("/tail", **query):
            lines.append(line)
            if len(lines) == count:
                return

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    wait_until(lambda: len(hub.enqueuer.subscriptions) > before)
    return thread, lines


def test_a_tail_shows_what_comes(hub: ControlledHub) -> None:
    thread, lines = tailing(hub, 1)
    hub.receive([message(7, "a.b", b'{"n":\n1}', h="v")])
    thread.join(10)
    assert lines == [
        {"topic": "a.b", "id": "7", "received_at": 7.0, "backend": "bus", "headers": {"h": "v"}, "body": {"n": 1}}
    ]


def test_a_tail_shows_only_the_topics_that_were_asked_for(hub: ControlledHub) -> None:
    thread, lines = tailing(hub, 2, pattern="a.#")
    hub.receive([message(0, "a"), message(1, "b"), message(2, "a.c")])
    thread.join(10)
    assert [line["id"] for line in lines] == ["0", "2"]


def test_a_client_that_hangs_up_is_forgotten(hub: ControlledHub) -> None:
    thread, _ = tailing(hub, 1)
    hub.receive([message(0)])
    thread.join(10)
    wait_until(lambda: len(hub.enqueuer.subscriptions) == 0)


def test_a_client_that_stops_reading_misses_messages_is_told_and_costs_no_memory(hub: ControlledHub) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(str(hub.path))
        client.sendall(b"GET /tail HTTP/1.0\r\n\r\n")
        wait_until(lambda: bool(hub.enqueuer.subscriptions))
        (subscription,) = hub.enqueuer.subscriptions._router.match("a.b")
        tail: Tail = subscription.sink.__self__  # type: ignore[attr-defined]
        sent = 0
        while sent < 2000:
            hub.receive([message(sent + n, body=b'"' + b"x" * 10_000 + b'"') for n in range(10)])
            sent += 10
        transport: Any = tail._request.channel.transport
        assert len(transport.dataBuffer) + sum(map(len, transport._tempDataBuffer)) < BUFFER_BOUND
        reader = client.makefile("rb")
        while reader.readline() not in (b"\r\n", b""):
            pass
        shown = 0
        while "missed" not in (line := msgspec.json.decode(reader.readline())):
            assert line["id"] == str(shown)
            shown += 1
        assert shown + line["missed"] == sent
        hub.receive([message(9999)])
        assert msgspec.json.decode(reader.readline())["id"] == "9999"


@pytest.mark.parametrize("body", [b"[" * 100_000, b'"\xff"', b"\xff\xfe", b"", b"NaN", b'"\\ud800"'])
def test_a_body_that_is_no_json_is_shown_as_text_and_disturbs_nobody(hub: ControlledHub, body: bytes) -> None:
    thread, lines = tailing(hub, 2)
    hub.receive([message(0, body=body), message(1)])
    thread.join(10)
    assert lines[0]["body"] == body.decode("utf-8", "replace")
    assert lines[1]["id"] == "1"


@given(st.binary() | st.recursive(st.none() | st.text() | st.floats(), st.lists).map(msgspec.json.encode), st.text())
def test_every_message_is_one_line_of_json(body: bytes, text: str) -> None:
    topic = text.encode("utf-8", "replace").decode()
    line = _line(Message("id", topic, body, {"h": topic}))
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert msgspec.json.decode(line)["topic"] == topic


class FakeRequest:
    """What a tail needs of a request."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.over: Deferred[None] = Deferred()

    def notifyFinish(self) -> Deferred[None]:
        return self.over

    def registerProducer(self, producer: object, streaming: bool) -> None:
        assert streaming

    def write(self, data: bytes) -> None:
        self.written.append(data)


def test_what_is_missed_is_counted_by_what_would_have_been_shown() -> None:
    request, subscriptions = FakeRequest(), Subscriptions()
    tail = Tail(request, ["a"], subscriptions)  # type: ignore[arg-type]
    tail.start()
    tail.pauseProducing()
    subscriptions.show([message(0, "a"), message(1, "b"), message(2, "a")])
    tail.resumeProducing()
    tail.pauseProducing()
    tail.resumeProducing()
    assert request.written == [b"", b'{"missed":2}\n']


def test_one_that_is_over_leaves_the_subscriptions_once() -> None:
    request, subscriptions = FakeRequest(), Subscriptions()
    tail = Tail(request, ["#"], subscriptions)  # type: ignore[arg-type]
    tail.start()
    tail.stopProducing()
    request.over.callback(None)
    assert len(subscriptions) == 0
