"""A trace passes through a real hub: from what was published to it, to what its consumers publish, and to OTLP."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import zmq

from tests.support import PATIENCE, free_port, wait_until
from tests.system.behind import hub_behind
from tests.system.hubs import RunningHub
from tests.system.lagging import BEHIND
from tests.system.otlp import Receiver, attributes

pytestmark = pytest.mark.system

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"
FORWARD = """
from hub import Consumer, Retry

class Forward(Consumer):
    topics = ("in.#",)
    tried = False

    def consume(self, message):
        if message.topic == "in.bad":
            raise ValueError("it is bad")
        if message.topic == "in.later" and not self.tried:
            self.tried = True
            self.context.publish("out.never", {})
            raise Retry(0.1)
        if message.topic == "in.library":
            from opentelemetry import trace
            with trace.get_tracer("library").start_as_current_span("SELECT"):
                pass
        self.context.publish(message.topic.replace("in.", "out."), {"of": message.id}, backend="bus")

class Batches(Consumer):
    topics = ("batch.#",)

    def consume_batch(self, messages):
        for message in messages:
            self.context.publish("out." + message.topic, {"of": message.id}, backend="bus")
"""


def configuration(bind: int, publish: int, durable: bool = True, more: str = "") -> str:
    consumers = "".join(
        f'[consumers.{name.lower()}]\ntype = "forward.py:{name}"\nmax_attempts = 1\ndurable = {str(durable).lower()}\n'
        for name in ("Forward", "Batches")
    )
    return f"""
        [backends.bus]
        type = "zeromq"
        bind = ["tcp://127.0.0.1:{bind}"]
        publish_bind = ["tcp://127.0.0.1:{publish}"]
        {consumers}
        {more}
    """


class Bus:
    """A hub whose consumer republishes, and somebody who listens to it."""

    def __init__(self, hub: RunningHub, endpoint: str, socket: Any) -> None:
        self.hub = hub
        self.endpoint = endpoint
        self._socket = socket

    def probe(self) -> None:
        """A subscription takes a moment to arrive: what is published before is not heard."""
        self.hub.client.post("/publish", {"topic": "probe", "body": {}})

    def hears(self) -> bool:
        """True if a probe is heard; more may come of them."""
        self.probe()
        heard = False
        while self._socket.poll(50):
            heard = bool(self._socket.recv_multipart())
        return heard

    def publish(self, topic: str, **headers: str) -> str:
        """With the command. Returns the message's id."""
        given = [argument for name, value in headers.items() for argument in ("--header", f"{name}={value}")]
        return self.hub.command("publish", topic, '{"n": 1}', *given).stdout.strip()

    def heard(self) -> tuple[str, dict[str, Any]]:
        """The next message that comes out, but for a late probe: its topic and its envelope."""
        topic = b"probe"
        while topic == b"probe":
            assert self._socket.poll(20_000 * PATIENCE), self.hub.log
            topic, body = self._socket.recv_multipart()
        return topic.decode(), json.loads(body)


@contextmanager
def running(directory: Path, durable: bool = True, more: str = "") -> Iterator[Bus]:
    (directory / "forward.py").write_text(FORWARD)
    port = free_port()
    context: Any = zmq.Context()
    try:
        with RunningHub(directory, configuration(free_port(), port, durable, more)) as hub:
            socket = context.socket(zmq.SUB)
            socket.subscribe(b"")
            endpoint = f"tcp://127.0.0.1:{port}"
            socket.connect(endpoint)
            bus = Bus(hub, endpoint, socket)
            wait_until(bus.hears, 20, "the line to the hub's publisher")
            yield bus
    finally:
        context.destroy(linger=0)


@pytest.mark.parametrize("durable", [True, False])
def test_what_a_consumer_publishes_belongs_to_the_trace_of_what_it_consumed(tmp_path: Path, durable: bool) -> None:
    with running(tmp_path, durable) as bus:
        number = bus.publish("in.a", traceparent=TRACEPARENT, tracestate="rojo=1")
        topic, envelope = bus.heard()
        assert (topic, envelope["msg"]) == ("out.a", {"of": number})
        assert envelope["headers"] == {"traceparent": TRACEPARENT, "tracestate": "rojo=1"}
        bus.publish("in.later", traceparent=TRACEPARENT)
        assert bus.heard()[1]["headers"] == {"traceparent": TRACEPARENT}
        bus.publish("batch.a", traceparent=TRACEPARENT)
        assert bus.heard()[1]["headers"] == {"traceparent": TRACEPARENT}


def test_a_message_without_a_valid_trace_has_none_afterwards(tmp_path: Path) -> None:
    with running(tmp_path) as bus:
        bus.publish("in.a", traceparent=f"00-{'0' * 32}-{PARENT}-01")
        assert "headers" not in bus.heard()[1]
        bus.publish("in.a", other="x")
        assert "headers" not in bus.heard()[1]


def test_a_trace_begins_with_a_message_that_the_hub_is_told_to_publish(tmp_path: Path) -> None:
    with running(tmp_path) as bus:
        bus.hub.command("publish", "in.a", "--through-hub", "--header", f"traceparent={TRACEPARENT}", "--header", "x==")
        assert bus.heard()[1]["headers"] == {"traceparent": TRACEPARENT, "x": "="}
        refused = bus.hub.command("publish", "in.a", "--header", "traceparent", check=False)
        assert refused.returncode == 64
        assert "expected NAME=TEXT or NAME:=JSON, not 'traceparent'" in refused.stderr


def otel(receiver: Receiver, more: str = "") -> str:
    return f"""
        [exporters.otel]
        type = "opentelemetry"
        endpoint = "{receiver.endpoint}"
        interval = "200ms"
        {more}
    """


def test_545_messages_behind_are_545_in_the_metrics(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("Bearer s3cretword\n")
    with (
        Receiver() as receiver,
        hub_behind(tmp_path, otel(receiver, f'authorization = "file:{token}"'), "otel") as hub,
    ):
        wanted = ({"hubbub.consumer": "slow"}, BEHIND)
        wait_until(lambda: wanted in receiver.numbers("hubbub.consumer.backlog"), 20, "the backlog")
        wait_until(lambda: wanted in receiver.numbers("hubbub.consumer.received"), 20, "what was received")
        assert ({"hubbub.consumer": "slow"}, 0) in receiver.numbers("hubbub.consumer.backlog")
        resource = attributes(receiver.metrics[-1].resource_metrics[0].resource)
        assert resource["service.name"] == "hubbub"
        assert set(receiver.tokens) == {"Bearer s3cretword"}
        assert "s3cretword" not in hub.log + str(hub.status())
        assert hub.status()["exporters"]["otel"]["failed"] == 0


def test_a_call_of_a_consumer_is_a_span_between_what_came_and_what_goes(tmp_path: Path) -> None:
    with Receiver() as receiver, running(tmp_path, more=otel(receiver)) as bus:
        number = bus.publish("in.library", traceparent=TRACEPARENT)
        traceparent = bus.heard()[1]["headers"]["traceparent"]
        bus.publish("in.bad", traceparent=TRACEPARENT)
        bus.hub.wait_for("forward", "dead", 1)
        assert bus.hub.stop() == 0
        (span,) = receiver.spans("process in.library")
        assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, PARENT)
        assert re.fullmatch(f"00-{TRACE}-{span.span_id.hex()}-[0-9a-f]{{2}}", traceparent)
        found = attributes(span)
        assert (found["messaging.message.id"], found["messaging.consumer.group.name"]) == (number, "forward")
        assert (found["messaging.destination.name"], found["hubbub.attempt"]) == ("in.library", 1)
        assert [inner.parent_span_id for inner in receiver.spans("SELECT")] == [span.span_id]
        (bad,) = receiver.spans("process in.bad")
        assert (bad.status.code, bad.status.message) == (2, "it is bad")
        assert [event.name for event in bad.events] == ["exception"]


def test_a_collector_that_is_not_there_holds_nothing_up(tmp_path: Path) -> None:
    exporter = f'[exporters.otel]\ntype = "opentelemetry"\nendpoint = "http://127.0.0.1:{free_port()}"\n'
    with running(tmp_path, more=f'{exporter}interval = "100ms"\ntimeout = "500ms"\n') as bus:
        bus.publish("in.a", traceparent=TRACEPARENT)
        assert bus.heard()[1]["headers"]["traceparent"].startswith(f"00-{TRACE}-")
        wait_until(lambda: bus.hub.status()["exporters"]["otel"]["failed"] > 0, 20, "a failed export")
        assert bus.hub.stop() == 0


def test_the_real_fedmsg_hears_messages_with_headers(tmp_path: Path, fedmsg_python: Path) -> None:
    lines = tmp_path / "heard.jsonl"

    def heard(topic: str) -> list[dict[str, Any]]:
        complete = [line for line in lines.read_text().splitlines(keepends=True) if line.endswith("\n")]
        return [record for line in complete if (record := json.loads(line))["topic"] == topic]

    with running(tmp_path) as bus, lines.open("wb") as output:
        script = str(Path(__file__).with_name("fedmsg_listener.py"))
        listener = subprocess.Popen([str(fedmsg_python), script, bus.endpoint], stdout=output)
        try:
            wait_until(lambda: bus.hears() and heard("probe"), 30, "a probe, heard by fedmsg")
            number = bus.publish("in.a", traceparent=TRACEPARENT)
            wait_until(lambda: heard("out.a"), 20, "the message, heard by fedmsg")
        finally:
            listener.kill()
            listener.wait()
        (record,) = heard("out.a")
        assert record["envelope"]["msg"] == {"of": number}
        assert record["envelope"]["headers"] == {"traceparent": TRACEPARENT}
