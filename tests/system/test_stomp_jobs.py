"""Jobs of a database, by STOMP: frames on a raw socket, on PostgreSQL by both drivers and on SQLite."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.jobs import Jobs, JobState
from tests.support import free_port, wait_until
from tests.system.hubs import RunningHub
from tests.system.stomp_socket import StompSocket

pytestmark = pytest.mark.system
WORK = "/queue/work"


class JobHub(RunningHub):
    """A hub whose STOMP server has the queue of jobs ``work``."""

    def __init__(self, directory: Path, dsn: str, settings: str = "", lease: str = "60s", before: str = "") -> None:
        self.port = free_port()
        text = f"""\
{before}[jobs.main]
database = "{dsn}"
lease = "{lease}"

[backends.stomp]
type = "stomp-server"
listen = ["127.0.0.1:{self.port}"]
{settings}
[backends.stomp.queues.work]
jobs = true
"""
        directory.mkdir(exist_ok=True)
        super().__init__(directory, text)

    def connect(self, version: str = "1.2") -> StompSocket:
        return StompSocket(self.port, version)

    def backend(self) -> dict[str, object]:
        row: dict[str, object] = self.status()["backends"]["stomp"]
        return row


@pytest.fixture
def hub(tmp_path: Path, dsn: str) -> Iterator[JobHub]:
    with JobHub(tmp_path / "hub", dsn) as hub:
        yield hub


def state(jobs: Jobs, number: str | int) -> tuple[str, int]:
    found = jobs.find(int(number))
    assert found is not None
    return found.state.value, found.attempts


def test_a_send_inserts_a_job_with_all_that_its_headers_say(hub: JobHub, jobs: Jobs) -> None:
    with hub.connect() as client:
        client.receipt("SEND", b"a", destination=WORK)
        said = {"priority": "9", "max-retries": "2", "tags": "red, blue", "key": "k", "coalesce": "example.org"}
        for body in (b"b", b"held"):
            client.receipt("SEND", body, destination=WORK, **said)
        client.socket.sendall(b"SEND\ndestination:/queue/work\nAMQ_SCHEDULED_DELAY:3600000\nreceipt:r\n\nlater\0")
        client.wait("RECEIPT")
    high, plain = jobs.peek("work")
    assert (high.body, high.priority, high.max_retries, high.key) == (b"b", 9, 2, "k")
    assert (high.tags, high.coalesce) == (("red", "blue"), "example.org")
    assert (plain.body, plain.priority, plain.max_retries, plain.key) == (b"a", 4, 25, None)
    assert [job.body for job in jobs.peek("work", JobState.DELAYED)] == [b"later"]


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ({"priority": "high"}, "priority is 'high'"),
        ({"max-retries": "-1"}, "max-retries is '-1'"),
        ({"tags": "a,,b"}, "a tag is a text that is not empty"),
        ({"unique": "waiting"}, "unique without a key"),
        ({"key": "k", "unique": "often"}, "unique is one of waiting"),
        ({"key": "k", "conflict": "debounce"}, "max_wait"),
        ({"expires": "1"}, "expires is not supported for jobs"),
        ({"reply-to": "/temp-queue/a"}, "reply-to is not supported for jobs"),
    ],
)
def test_what_a_job_can_not_be_is_an_error(hub: JobHub, jobs: Jobs, headers: dict[str, str], text: str) -> None:
    with hub.connect() as client:
        client.send("SEND", b"a", destination=WORK, receipt="r", **headers)
        error = client.wait("ERROR")
        assert text in error.headers["message"]
        assert error.headers["receipt-id"] == "r"
    assert jobs.counts() == {}


def test_a_body_that_is_too_large_is_an_error_and_the_jobs_before_it_are_inserted(hub: JobHub, jobs: Jobs) -> None:
    with hub.connect() as client:
        client.send("SEND", b"a", destination=WORK, receipt="r")
        client.send("SEND", bytes((1 << 20) + 1), destination=WORK)
        assert client.wait("RECEIPT").headers["receipt-id"] == "r"
        assert "1048577 bytes: at most 1048576 are allowed" in client.wait("ERROR").headers["message"]
    assert [job.body for job in jobs.peek("work")] == [b"a"]


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_jobs_are_worked_with_acks(hub: JobHub, jobs: Jobs, version: str) -> None:
    first, second, third = jobs.insert_many("work", [1, 2, 3], keys=["k", None, None], tags=["red", "blue"])
    with hub.connect(version) as client:
        client.send("SUBSCRIBE", destination=WORK, id="0", ack="client-individual")
        messages = client.messages(3)
        headers = messages[0].headers
        assert headers["destination"] == WORK
        assert [headers[name] for name in ("job-id", "attempt", "max-retries", "priority", "key", "tags")] == [
            *(str(first.id), "1", "25", "4", "k", "red,blue"),
        ]
        assert [message.body for message in messages] == [b"1", b"2", b"3"]
        assert state(jobs, third.id) == ("running", 1)
        named = [
            {"id": one.headers["ack"]}
            if version == "1.2"
            else {"message-id": one.headers["message-id"], "subscription": "0"}
            for one in messages
        ]
        client.receipt("ACK", **named[1])
        wait_until(lambda: state(jobs, second.id) == ("finished", 1))
        assert state(jobs, first.id) == state(jobs, third.id) == ("running", 1)
        if version != "1.0":
            client.send("NACK", **named[0])
            client.send("NACK", requeue="false", **named[2])
            wait_until(lambda: state(jobs, first.id) == ("delayed", 1))
            wait_until(lambda: state(jobs, third.id) == ("dead", 1))
            (dead,) = jobs.peek("work", JobState.DEAD)
            assert dead.reason == "NACK with requeue:false"
            assert [error.text for error in jobs.errors(first)] == ["NACK"]
            jobs.kick("work")
            again = client.wait("MESSAGE").headers
            assert (again["job-id"], again["attempt"], again["redelivered"]) == (str(first.id), "2", "true")


def test_a_nack_of_the_last_attempt_makes_a_dead_letter(hub: JobHub, jobs: Jobs) -> None:
    handle = jobs.insert("work", 1, max_retries=0)
    with hub.connect() as client:
        client.send("SUBSCRIBE", destination=WORK, id="0", ack="client")
        client.send("NACK", id=client.wait("MESSAGE").headers["ack"])
        wait_until(lambda: state(jobs, handle.id) == ("dead", 1))


def test_ack_client_is_cumulative_and_auto_needs_none(hub: JobHub, jobs: Jobs) -> None:
    jobs.insert_many("work", range(50))
    with hub.connect() as client:
        client.send("SUBSCRIBE", destination=WORK, id="0", ack="client", prefetch_count="50")
        client.send("ACK", id=client.messages(50)[-1].headers["ack"])
        wait_until(lambda: jobs.counts() == {})
        client.receipt("UNSUBSCRIBE", id="0")
        client.send("SUBSCRIBE", destination=WORK, id="1")
        jobs.insert_many("work", range(300))
        assert sorted(int(one.body) for one in client.messages(300)) == list(range(300))
        wait_until(lambda: jobs.counts() == {})


def test_no_more_is_claimed_than_there_is_credit_for(hub: JobHub, jobs: Jobs) -> None:
    jobs.insert_many("work", range(20))
    with hub.connect() as client, hub.connect() as other:
        for one in (client, other):
            one.receipt("SUBSCRIBE", destination=WORK, id="0", ack="client-individual", prefetch_count="3")
        mine = client.messages(3)
        other.messages(3)
        assert jobs.counts()["work"].running == 6
        client.send("ACK", id=mine[0].headers["ack"])
        client.messages(1)
        assert client.rest() == other.rest() == []
        assert (jobs.counts()["work"].running, jobs.counts()["work"].waiting) == (6, 13)


def test_what_ends_in_order_gives_back_and_counts_nothing(hub: JobHub, jobs: Jobs) -> None:
    (handle,) = jobs.insert_many("work", [1])
    with hub.connect() as client:
        client.send("SUBSCRIBE", destination=WORK, id="0", ack="client")
        late = client.wait("MESSAGE").headers["ack"]
        client.receipt("UNSUBSCRIBE", id="0")
        wait_until(lambda: state(jobs, handle.id) == ("waiting", 0))
        client.receipt("ACK", id=late)
        assert hub.backend()["acked_late"] == 1
        assert state(jobs, handle.id) == ("waiting", 0)
        client.send("SUBSCRIBE", destination=WORK, id="1", ack="client")
        client.wait("MESSAGE")
        client.receipt("DISCONNECT")
        wait_until(lambda: state(jobs, handle.id) == ("waiting", 0))
    with hub.connect() as client:
        client.send("SUBSCRIBE", destination=WORK, id="0", ack="client")
        client.wait("MESSAGE")
        assert hub.stop(signal.SIGTERM) == 0
    assert state(jobs, handle.id) == ("waiting", 0)


def test_a_client_that_is_lost_gives_back_at_once_and_the_first_job_counts(hub: JobHub, jobs: Jobs) -> None:
    first, second = jobs.insert_many("work", [1, 2])
    last = jobs.insert("work", 3, max_retries=0)
    with hub.connect() as client:
        client.send("SUBSCRIBE", destination=WORK, id="0", ack="client")
        client.messages(3)
    wait_until(lambda: jobs.counts()["work"].waiting == 3)
    assert [state(jobs, one.id) for one in (first, second, last)] == [("waiting", 1), ("waiting", 0), ("waiting", 0)]
    assert [error.text for error in jobs.errors(first)] == ["the connection of its client was lost"]


def test_jobs_in_the_hands_of_a_hub_that_is_killed_come_again(tmp_path: Path, dsn: str, jobs: Jobs) -> None:
    with JobHub(tmp_path / "hub", dsn, lease="5s") as hub, hub.connect() as client:
        client.receipt("SEND", b"a", destination=WORK)
        client.receipt("SUBSCRIBE", destination=WORK, id="0", ack="client")
        number = client.wait("MESSAGE").headers["job-id"]
        hub.process.kill()
        hub.process.wait()
        with hub, hub.connect() as again:
            again.send("SUBSCRIBE", destination=WORK, id="0", ack="client")
            headers = again.wait("MESSAGE").headers
            assert (headers["job-id"], headers["attempt"]) == (number, "2")
            again.send("ACK", id=headers["ack"])
            wait_until(lambda: state(jobs, number)[0] == "finished")


def test_a_transaction_sends_its_jobs_and_then_settles(hub: JobHub, jobs: Jobs) -> None:
    handle = jobs.insert("work", 1)
    with hub.connect() as client:
        client.send("SUBSCRIBE", destination=WORK, id="0", ack="client", prefetch_count="1")
        ack = client.wait("MESSAGE").headers["ack"]
        client.send("BEGIN", transaction="t")
        client.send("SEND", b"2", destination=WORK, transaction="t")
        client.send("ACK", id=ack, transaction="t")
        assert client.rest() == []
        assert state(jobs, handle.id) == ("running", 1)
        client.receipt("COMMIT", transaction="t")
        assert client.wait("MESSAGE").body == b"2"
        assert state(jobs, handle.id) == ("finished", 1)
        client.send("BEGIN", transaction="u")
        client.send("SEND", b"3", destination=WORK, transaction="u")
        client.receipt("ABORT", transaction="u")
    wait_until(lambda: jobs.counts()["work"].running == 0)
    assert [job.body for job in jobs.peek("work")] == [b"2"]


def test_what_jobs_have_not_is_an_error(hub: JobHub) -> None:
    for headers, text in [
        ({"destination": "/queue/DLQ.work"}, "hubbub job peek work"),
        ({"destination": WORK, "selector": "a = 1"}, "a selector on jobs is not supported"),
    ]:
        with hub.connect() as client:
            client.send("SUBSCRIBE", id="0", **headers)
            assert text in client.wait("ERROR").headers["message"]
