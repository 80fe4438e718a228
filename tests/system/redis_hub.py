"""A whole hub on a Redis, whose consumer notes the numbers it is given, and answers each if it is asked to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.support import wait_until
from tests.system.hubs import HUBBUB, RunningHub
from tests.system.redis import Failing, RedisServer

CONSUMERS = """
import time
from hub import Consumer, Settings

class Echo(Consumer):
    topics = ["work"]
    def start(self):
        self.file = open("echo.jsonl", "ab", buffering=0)
    def consume(self, message):
        self.file.write(b"%d\\n" % message.json())
        time.sleep(self.context.config.takes)
        if self.context.config.answers:
            self.context.publish("done", message.body)

    class Config(Settings):
        answers: bool = False
        takes: float = 0.0
"""


class RedisHub:
    """A hub in a directory of its own, with a consumer that notes the numbers it is given.

    :param server: a server, or the Sentinels of some. :param backend: further lines of its configuration.
    :param consumer: of the consumer's. :param program: the ``hubbub`` to run.
    """

    def __init__(
        self,
        directory: Path,
        server: RedisServer | Failing,
        backend: str = "",
        consumer: str = "",
        program: Path = HUBBUB,
    ) -> None:
        directory.mkdir(exist_ok=True)
        self.directory = directory
        if isinstance(server, RedisServer):
            place = f'connect = "{server.url}"'
        else:
            place = f'sentinels = {server.urls}\nmaster = "mymaster"'
        (directory / "consumers.py").write_text(CONSUMERS)
        self.hub = RunningHub(
            directory,
            f"""
            [hub]
            state_dir = "state"
            [backends.bus]
            type = "redis"
            {place}
            streams = ["work"]
            publish = "done"
            consumer = "{directory.name}"
            {backend}
            [consumers.echo]
            type = "consumers.py:Echo"
            {consumer}
            """,
            program=program,
        )

    def row(self) -> dict[str, Any]:
        row: dict[str, Any] = self.hub.status()["backends"]["bus"]
        return row

    def connected(self) -> None:
        wait_until(lambda: self.row()["state"] == "connected", 60, "the hub to be connected")

    def red(self, text: str, timeout: float = 20) -> None:
        """Until the hub is not ready for this reason, and says so of itself."""
        status: dict[str, Any] = {}

        def is_red() -> bool:
            status.update(self.hub.status())
            found = status["backends"]["bus"]["not_ready"]
            return found is not None and text in found

        wait_until(is_red, timeout, lambda: f"{text!r}: {status['backends']['bus']}")
        hub = status["hub"]
        assert not hub["ready"]
        assert any(reason.startswith("backend bus ") for reason in hub["not_ready"]), hub["not_ready"]

    def noted(self) -> Counter[int]:
        """How often each number was worked."""
        file = self.directory / "echo.jsonl"
        return Counter(map(int, file.read_bytes().split(b"\n")[:-1])) if file.exists() else Counter()

    def all_noted(self, count: int) -> Counter[int]:
        wait_until(lambda: len(self.noted()) >= count, 60, lambda: f"{count} messages, not {len(self.noted())}")
        found = self.noted()
        assert set(found) == set(range(count))
        return found

    def all_acknowledged(self) -> None:
        wait_until(lambda: self.row()["unacknowledged"] == 0, 30, "the acknowledgements")


def publish(server: RedisServer, numbers: Sequence[int]) -> None:
    """As another program."""
    pipeline = server.client.pipeline(transaction=False)
    for number in numbers:
        pipeline.xadd("work", {"body": number})
    pipeline.execute()


def answers(server: RedisServer) -> list[int]:
    return sorted(int(fields[b"body"]) for _, fields in server.client.xrange("done"))
