"""A hub with 545 messages behind, beside a consumer that keeps up, for those who are to read that number."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support import free_port
from tests.system.hubs import RunningHub

BEHIND = 545
CONFIGURATION = """
[hub]
stop_timeout = "100ms"
[backends.bus]
type = "zeromq"
bind = ["{endpoint}"]
[consumers.SlowConsumer]
type = "slow"
delay = "1h"
[consumers.fast]
type = "slow"
delay = 0
{more}
"""


def feed(hub: RunningHub) -> None:
    """So many messages."""
    messages = hub.directory / "messages.jsonl"
    messages.write_text("".join(f'{{"topic": "org.example.a", "msg": {number}}}\n' for number in range(BEHIND)))
    hub.command("feed", str(messages), "--quiet")


@contextmanager
def lagging_hub(directory: Path, more: str = "") -> Iterator[RunningHub]:
    """``SlowConsumer`` has a backlog of 545 that does not change; ``fast`` has had as many, and has none left.

    :param more: what else is to be in hub.conf.
    """
    configuration = CONFIGURATION.format(endpoint=f"tcp://127.0.0.1:{free_port()}", more=more)
    with RunningHub(directory, configuration) as hub:
        feed(hub)
        hub.wait_for("SlowConsumer", "backlog", BEHIND)
        hub.wait_for("fast", "finished", BEHIND)
        yield hub
