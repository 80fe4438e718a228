"""The order of a queue as a client of stomp.py sees it: by priority, over a kill of the hub; and by selectors."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from tests.support import wait_until
from tests.system.test_stomp_clients import LISTENER, run
from tests.system.test_stomp_server import StompHub

pytestmark = pytest.mark.system

COMMON = (
    LISTENER
    + """
client = stomp.Connection12([("127.0.0.1", int(sys.argv[1]))], heartbeats=(0, 0))
client.set_listener("", Listener())
client.connect("guest", "guest", wait=True)
"""
)
SEND = """
for number in range(300):
    priority, colour = number % 10, ("red", "blue", "green")[number % 3]
    headers = {"priority": str(priority), "colour": colour}
    if number == 299:
        headers["receipt"] = "last"
    client.send("/queue/jobs", str(number), headers=headers)
assert receipts.get(timeout=30) == "last"
"""
HOLD = """
client.subscribe("/queue/jobs", "1", ack="client-individual", headers={"prefetch-count": "5"})
print(*[found.get(timeout=30).body for _ in range(5)])
"""
READ = """
client.subscribe("/queue/jobs", "1", ack="client-individual", headers={"prefetch-count": "1", **eval(sys.argv[3])})
for _ in range(int(sys.argv[2])):
    one = found.get(timeout=30)
    print(one.body)
    client.ack(one.headers["ack"])
try:
    print("more", found.get(timeout=0.5).body)
except queue.Empty:
    pass
client.disconnect(receipt="bye")
assert receipts.get(timeout=20) == "bye"
"""


def script(directory: Path, hub: StompHub, source: str, *arguments: str) -> list[str]:
    return run(directory, "client.py", COMMON + source, sys.executable, str(hub.port), *arguments)


def by_priority(numbers: range) -> list[str]:
    return [str(number) for number in sorted(numbers, key=lambda number: (-(number % 10), number))]


def test_priorities_hold_over_a_kill_and_unacked_messages_go_back_to_their_place(tmp_path: Path) -> None:
    with StompHub(tmp_path) as hub:
        script(tmp_path, hub, SEND)
        first = script(tmp_path, hub, HOLD)
        assert first == [" ".join(by_priority(range(300))[:5])]
        wait_until(lambda: hub.consumer("jobs")["in_flight"] == 0)
        assert hub.consumer("jobs")["backlog"] == 300
        hub.stop(signal.SIGKILL)
    with StompHub(tmp_path) as hub:
        assert script(tmp_path, hub, READ, "300", "{}") == by_priority(range(300))
        wait_until(lambda: hub.consumer("jobs")["backlog"] == 0)


def test_each_selector_gets_its_messages_and_the_others_wait_and_are_seen(tmp_path: Path) -> None:
    with StompHub(tmp_path) as hub:
        script(tmp_path, hub, SEND)
        blue = [number for number in by_priority(range(300)) if int(number) % 3 == 1]
        assert script(tmp_path, hub, READ, "100", '{"selector": "colour = \'blue\'"}') == blue
        wait_until(lambda: hub.consumer("jobs")["backlog"] == 200)
        assert hub.consumer("jobs")["in_flight"] == 0
        assert script(tmp_path, hub, READ, "0", '{"selector": "colour = \'yellow\'"}') == []
        others = [number for number in by_priority(range(300)) if int(number) % 3 != 1]
        assert script(tmp_path, hub, READ, "200", "{}") == others
        wait_until(lambda: hub.consumer("jobs")["backlog"] == 0)
