"""Backends are exchanged by reloads while a consumer sends a message for each that it handles: none is given up."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import free_port, wait_until
from tests.system.hubs import RunningHub

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

COUNT = 20_000
RELOADS = 5
ECHO = """
from hub import Consumer

class Echo(Consumer):
    topics = ["in.#"]

    def consume(self, message):
        self.context.publish("out.echo", {"n": message.json()["msg"]}, backend="out")
"""


@pytest.mark.parametrize("durable", [True, False])
def test_what_consumers_send_waits_for_the_backend_that_comes(tmp_path: Path, durable: bool) -> None:
    (tmp_path / "echo.py").write_text(ECHO)
    receives, sends = free_port(), free_port()

    def configuration(linger: int) -> str:
        return f"""
            [backends.in]
            type = "zeromq"
            bind = ["tcp://127.0.0.1:{receives}"]
            [backends.out]
            type = "zeromq"
            publish_bind = ["tcp://127.0.0.1:{sends}"]
            linger = "{linger}s"
            [consumers.echo]
            type = "echo.py:Echo"
            durable = {str(durable).lower()}
        """

    with RunningHub(tmp_path, configuration(1)) as hub:
        (tmp_path / "messages.jsonl").write_text(
            "".join(f'{{"topic": "in.a", "msg": {number}}}\n' for number in range(COUNT))
        )
        hub.command("feed", "messages.jsonl", "--quiet", "--backend", "in")
        for turn in range(RELOADS):
            hub.file.write_text(configuration(2 + turn))
            assert hub.command("reload").stdout == "backend out: changed (linger)\n"
        hub.wait_for("echo", "finished", COUNT)
        wait_until(lambda: hub.status()["hub"]["published"] >= COUNT, 20, "all to be sent")
        status = hub.status()["hub"]
        assert (status["published"], status["publish_failed"]) == (COUNT, 0)
        assert hub.stop() == 0
