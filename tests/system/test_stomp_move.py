"""The documented move of an application from the hub's own STOMP server to RabbitMQ: one line of hub.conf changes."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from hub.message import Message
from tests.support import ROOT, wait_until
from tests.system.hubs import RunningHub
from tests.system.rabbitmq import RabbitMQ
from tests.system.stomp_hub import StompHub
from tests.unit.backends.stomp import clients
from tests.unit.backends.support import turn_until

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]


def documented(language: str) -> str:
    """The hub.conf (``toml``) or the consumer (``python``) of the documentation."""
    text = (ROOT / "docs" / "stomp-client.rst").read_text(encoding="utf-8")
    section = text[text.index("When the big broker comes") :]
    found = re.search(rf"\.\. code-block:: {language}\n\n((?:    .*\n|\n)+)", section)
    assert found is not None
    return re.sub(r"^    ", "", found[1], flags=re.MULTILINE)


class Application:
    """The application, and those who send to it and listen to it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        (directory / "thumbs.py").write_text(documented("python"))
        (directory / "passcode").write_text("guest")
        self.login: dict[str, Any] = {"login": "guest", "passcode": f"file:{directory}/passcode"}

    def configuration(self, port: int) -> str:
        """The documented one; the places are those of this test."""
        text = documented("toml").replace("/etc/hubbub/passcode", f"{self.directory}/passcode")
        assert "stomp://127.0.0.1:61613" in text
        return text.replace("127.0.0.1:61613", f"127.0.0.1:{port}")

    def works(self, hub: RunningHub, port: int, files: Sequence[str]) -> None:
        """Send names of files, and see what becomes of them: here, and at a listener of the broker."""
        wait_until(lambda: hub.status()["backends"]["bus"]["state"] == "connected", 30, "the hub to be connected")
        listening = {**self.login, "destinations": ["/topic/org.thumbs"], "ack": "auto", "publish": "/queue/work"}
        with clients.running(port, **listening) as (peer, heard):
            for file in files:
                peer.publish(Message(file, "work", file.encode()))
            turn_until(lambda: len(heard.messages) >= len(files), "what the application says")
            assert sorted(body.decode() for body in heard.bodies) == sorted(files)
        with clients.running(port, **{**listening, "publish": "/topic/{topic}"}) as (peer, _):
            done: list[object] = []
            peer.publish(Message("x", "org.example.a", files[0].encode())).addBoth(done.append)
            turn_until(lambda: done, "the receipt")
        wait_until(lambda: f"org.example.a {files[0]}" in self.noted(), 20, "the topic's message")

    def noted(self) -> list[str]:
        return (self.directory / "thumbs.txt").read_text().splitlines()


def test_one_line_moves_the_application_to_rabbitmq(rabbitmq: RabbitMQ, tmp_path: Path) -> None:
    application = Application(tmp_path)
    with StompHub(tmp_path / "small") as small:
        before, after = application.configuration(small.port), application.configuration(rabbitmq.port)
        with RunningHub(tmp_path, before) as hub:
            application.works(hub, small.port, ["a.png", "b.png"])
            hub.file.write_text(after)
            changed = json.loads(hub.command("reload", "--json").stdout)
            assert "bus" in str(changed)
            application.works(hub, rabbitmq.port, ["c.png", "d.png"])
            assert hub.status()["backends"]["bus"]["outbox_failed"] == 0
            assert hub.stop() == 0
    difference = [line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line[0] in "+-"]
    assert [line[2:].partition(" ")[0] for line in difference] == ["connect", "connect"]
    assert sorted(line for line in application.noted() if line.startswith("work")) == [
        f"work {name}.png" for name in "abcd"
    ]
