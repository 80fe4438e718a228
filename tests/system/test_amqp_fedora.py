"""Messages of the real fedora-messaging, and ours in its consumers."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hub.message import Message
from tests.support import ROOT, wait_until
from tests.system.rabbitmq import RabbitMQ
from tests.unit.backends.amqp.clients import running
from tests.unit.backends.support import turn_until

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

UPDATE = {
    "alias": "FEDORA-EPEL-2019-f2d195dada",
    "builds": [{"nvr": "abrt-2.10.11-1.el7"}],
    "status": "pending",
    "release": {"name": "F27"},
    "request": "testing",
    "user": {"name": "ryanlerch"},
}
COMMENT = {"karma": 0, "text": "x", "timestamp": "2019-03-18 16:54:48", "update": UPDATE, "user": {"name": "dodji"}}


@contextmanager
def real(python: Path, script: str, broker: RabbitMQ, directory: Path, *arguments: str) -> Iterator[Any]:
    """A process with fedora-messaging, on this broker. Its output is in a file, its input a pipe."""
    directory.mkdir()
    config = directory / "config.toml"
    config.write_text(f'amqp_url = "amqp://127.0.0.1:{broker.amqp_port}/%2F"\ntopic_prefix = ""\n')
    environment = {**os.environ, "FEDORA_MESSAGING_CONF": str(config)}
    with (directory / "output").open("wb") as output, (directory / "errors").open("wb") as errors:
        command = [str(python), str(ROOT / "tests" / "system" / script), *arguments]
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=output, stderr=errors, text=True
        )
        try:
            yield process.stdin
        finally:
            process.kill()
            process.wait()
            if process.stdin is not None:
                process.stdin.close()


def test_what_its_publisher_sends_is_received(rabbitmq: RabbitMQ, fedora_python: Path, tmp_path: Path) -> None:
    queue = {"bindings": [{"exchange": "amq.topic", "keys": ["from-fedora.#"]}]}
    with (
        running(rabbitmq.amqp_port, queues={"from-fedora": queue}, format="fedora-messaging") as (client, intake),
        real(fedora_python, "fedora_publisher.py", rabbitmq, tmp_path / "publisher") as publisher,
    ):
        bodies: list[dict[str, Any]] = [{"u": "héllo ☃"}, {"a": [1, 2.5, None, True]}, {"x": float("nan")}]
        publisher.write("".join(json.dumps(["from-fedora.a", body]) + "\n" for body in bodies))
        publisher.flush()
        turn_until(lambda: len(intake.messages) == 3, "the messages", 60)
        assert [json.dumps(message.json()) for message in intake.messages] == [json.dumps(body) for body in bodies]
        first = intake.messages[0]
        assert len(first.id) == 36
        assert first.topic == "from-fedora.a"
        headers = dict(first.headers)
        assert str(headers.pop("sent-at")).endswith("+00:00")
        assert headers == {
            "content-type": "application/json",
            "content-encoding": "utf-8",
            "fedora_messaging_schema": "base.message",
            "fedora_messaging_schema_package": "fedora_messaging",
            "fedora_messaging_severity": 30,
            "priority": 0,
            "mine": "x",
            "n": 5,
        }
        assert client.status()["malformed"] == {}


def test_its_consumer_makes_objects_of_its_schemas_of_ours(
    rabbitmq: RabbitMQ, fedora_python: Path, tmp_path: Path
) -> None:
    """Also where headers came as text: it would drop a severity that is one."""
    queues = {"to-fedora": {"durable": False, "auto_delete": False, "exclusive": False, "arguments": {}}}
    ours = {"to-fedora": {"durable": False, "bindings": [{"exchange": "amq.topic", "keys": ["org.x.#"]}]}}
    headers: dict[str, Any] = {
        "fedora_messaging_schema": "bodhi.update.comment.v1",
        "fedora_messaging_severity": "30",
        "fedora_messaging_user_dodji": "true",
    }
    body = {"comment": COMMENT, "agent": "dodji"}
    with running(rabbitmq.amqp_port, queues=ours):
        pass
    given: dict[str, Any] = {
        "queues": {},
        "publish": "amq.topic",
        "format": "fedora-messaging",
        "topic_prefix": "org.x",
    }
    with running(rabbitmq.amqp_port, **given) as (client, _):
        sent: list[Any] = []
        client.publish(Message("id-1", "plain", b'{"n": 1}')).addBoth(sent.append)
        client.publish(Message("id-2", "comment", json.dumps(body).encode(), headers)).addBoth(sent.append)
        turn_until(lambda: len(sent) == 2, "the confirmations")
        assert sent == [None, None]
    output = tmp_path / "consumer" / "output"
    with real(fedora_python, "fedora_consumer.py", rabbitmq, tmp_path / "consumer", json.dumps(queues)):
        wait_until(lambda: output.read_text().count("\n") == 2, 60, "both messages")
    first, second = (json.loads(line) for line in output.read_text().splitlines())
    assert (first["class"], first["topic"], first["id"], first["body"]) == ("Message", "org.x.plain", "id-1", {"n": 1})
    assert first["severity"] == 20
    assert (second["class"], second["topic"], second["severity"]) == ("UpdateCommentV1", "org.x.comment", 30)
    assert second["headers"]["fedora_messaging_user_dodji"] is True
    assert "dodji" in second["usernames"]
    assert first["summary"] == "org.x.plain" != second["summary"]
