"""What an operator sees of the clients of a STOMP server, in a real hub."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from hub.errors import OrderRefused
from hub.status.rows import stable
from tests.support import wait_until
from tests.system.hubs import HUBBUB
from tests.system.test_stomp_server import StompHub

pytestmark = pytest.mark.system

SUMS = "stomp subscriptions"


def test_a_slow_subscriber_is_seen_and_the_hub_stays_ready(tmp_path: Path) -> None:
    """Its queue is full all the time, and it comes again and again."""
    with StompHub(tmp_path, more="subscriber_backlog = 5") as hub, hub.connect() as sender:
        names, received = set(), 0
        for _ in range(3):
            with hub.connect() as slow:
                slow.receipt("SUBSCRIBE", id="1", destination="/topic/a", ack="client", prefetch_count="1")
                slow.receipt("SUBSCRIBE", id="2", destination="/topic/b")
                for _ in range(30):
                    sender.send("SEND", destination="/topic/a")
                sender.receipt("SEND", destination="/topic/a")
                wait_until(lambda: hub.consumer(SUMS)["received"] == received + 31, 30, "a sample")  # noqa: B023
                status = hub.status()
                row = status["consumers"][SUMS]
                assert (status["hub"]["ready"], status["hub"]["not_ready"]) == (True, [])
                assert [(one["word"], one["level"]) for one in row["conditions"]] == [("losing", "warn")]
                (own,) = (one for one in status["consumers"].values() if one["summed_in"] and one["backlog"])
                assert own["conditions"][0]["word"] == "losing"
                assert status["hub"]["headline"]["consumer"] is None
                assert (row["queues"], row["largest_backlog"]) == (2, own["backlog"])
                assert set(stable(status["consumers"])) == {SUMS}
                names |= {name for name, one in status["consumers"].items() if one["summed_in"] == SUMS}
                received = row["received"]
                check = [str(HUBBUB), "check-backlog", "--config", str(hub.file)]
                found = subprocess.run(check, capture_output=True, text=True, check=False, timeout=60)
                assert (found.returncode, found.stdout.count(SUMS) > 0) == (1, True)
            wait_until(lambda: set(hub.status()["consumers"]) == {SUMS}, 30, "the end of the subscriptions")
        assert len(names) == 6
        assert hub.stop() == 0


class Orders:
    """Orders on the queue ``jobs`` of a hub, as the commands give them."""

    def __init__(self, hub: StompHub) -> None:
        self.hub = hub

    def give(self, verb: str, **more: Any) -> Any:
        subject = "queue" if verb in ("purge-queue", "delete-queue") else "consumer"
        return self.hub.client.post(f"/{verb}", {subject: "jobs", **more})

    def wait(self, **numbers: int) -> None:
        """Counts of a durable queue are shown once they are committed."""
        found: dict[str, Any] = {}

        def there() -> bool:
            row = self.hub.consumer("jobs")
            found.update({key: row[key] for key in numbers})
            return found == numbers

        wait_until(there, 30, f"{numbers}")


@pytest.mark.parametrize("read", [False, True], ids=["nobody reads it", "a client reads it"])
def test_all_orders_on_queues_are_for_those_of_clients_too(tmp_path: Path, read: bool) -> None:
    with StompHub(tmp_path) as hub, hub.connect() as sender, hub.connect() as client:
        jobs = Orders(hub)
        for body in (b"dies", b"1", b"2", b"3"):
            sender.receipt("SEND", body, destination="/queue/jobs")
        client.receipt("SUBSCRIBE", id="1", destination="/queue/jobs", ack="client-individual", prefetch_count="1")
        client.receipt("NACK", id=client.messages(1)[0].headers["ack"], requeue="false")
        (first,) = client.messages(1)
        if not read:
            client.receipt("UNSUBSCRIBE", id="1")
        jobs.wait(backlog=3, in_flight=int(read), dead_letters=1)

        assert jobs.give("pause")["state"] == "paused"
        if read:
            client.receipt("ACK", id=first.headers["ack"])
            assert client.rest() == []
        assert jobs.give("resume")["state"] == "running"
        in_hand = client.messages(1) if read else []
        assert jobs.give("drain")["state"] == "draining"
        with pytest.raises(OrderRefused, match="jobs is drained and takes no messages in: resume it first"):
            jobs.give("retry-dead", numbers=[1])
        assert hub.command("queue", "resume", "jobs").returncode == 0

        assert "dies" in hub.command("dead", "show", "jobs", "1").stdout
        assert jobs.give("retry-dead", numbers=[1])["count"] == 1
        jobs.wait(backlog=3 if read else 4, dead_letters=0)
        # One in hand stays, and one that was tried does not.
        assert jobs.give("purge-queue")["purged"] == (2 if read else 4)
        jobs.wait(backlog=int(read))

        refused = hub.command("replay", "--since", "1h", "jobs", check=False)
        assert (refused.returncode, "'jobs' is a queue without topics" in refused.stderr) == (69, True)
        with pytest.raises(OrderRefused, match="no consumer drains: it has no threads"):
            jobs.give("threads", count=2)
        assert [bool(in_hand), hub.command("queue", "delete", "--yes", "jobs").returncode] == [read, 0]
        assert "jobs" not in hub.status()["consumers"]
        assert not read or client.wait("ERROR").headers["message"]


def test_messages_of_topics_are_replayed_to_a_queue_of_clients(tmp_path: Path) -> None:
    with StompHub(tmp_path, rest='[hub]\nkeep = "1h"\n') as hub, hub.connect(client_id="me") as client:
        client.receipt("SUBSCRIBE", id="1", destination="/topic/news.#", activemq__subscriptionName="mine")
        for number in range(3):
            client.receipt("SEND", b"%d" % number, destination="/topic/news.x", persistent="true")
        client.receipt("SEND", b"other", destination="/topic/other", persistent="true")
        client.receipt("SEND", b"own", destination="/queue/jobs")
        assert [frame.body for frame in client.messages(3)] == [b"0", b"1", b"2"]
        (name,) = (name for name in hub.status()["consumers"] if name.startswith("subscription."))
        wait_until(lambda: hub.consumer(name)["backlog"] == 0, 30, "its own acknowledgements")
        assert "3 messages were given" in hub.command("replay", "--since", "1h", name).stdout
        assert [frame.body for frame in client.messages(3)] == [b"0", b"1", b"2"]
        assert "1 message was given" in hub.command("replay", "--since", "1h", "--topic", "other", "jobs").stdout
        client.receipt("SUBSCRIBE", id="2", destination="/queue/jobs")
        assert [frame.body for frame in client.messages(2)] == [b"own", b"other"]
