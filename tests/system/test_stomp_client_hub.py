"""A whole hub on real STOMP brokers that stop, are killed, and come back; and a hub that is killed itself."""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from hub.message import Message
from tests.certificates import Authority
from tests.support import free_port, wait_until
from tests.system.activemq import ActiveMQ
from tests.system.hubs import RunningHub
from tests.system.rabbitmq import RabbitMQ
from tests.system.stomp_hub import StompHub
from tests.unit.backends.stomp import clients
from tests.unit.backends.support import turn_until

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

CONSUMERS = """
import json
from hub import Consumer

class Echo(Consumer):
    topics = ["work"]
    def start(self):
        self.file = open("echo.jsonl", "ab", buffering=0)
    def consume(self, message):
        note = {"n": message.json(), "redelivered": message.headers.get("redelivered", "")}
        self.file.write(json.dumps(note).encode() + b"\\n")
        if self.context.config.answers:
            self.context.publish("done", message.body)

    class Config(__import__("hub").Settings):
        answers: bool = False
"""


class Rig:
    """A hub in a directory of its own, with a consumer that notes the numbers it is given, and a publisher of them."""

    def __init__(self, directory: Path, connect: list[str], broker: str = "", consumer: str = "") -> None:
        self.directory = directory
        (directory / "consumers.py").write_text(CONSUMERS)
        (directory / "passcode").write_text("guest\n")
        self.hub = RunningHub(
            directory,
            f"""
            [hub]
            state_dir = "state"
            [backends.bus]
            type = "stomp"
            connect = {json.dumps(connect)}
            login = "guest"
            passcode = "file:{directory}/passcode"
            destinations = ["/queue/work"]
            publish = "/queue/{{topic}}"
            heart_beat = "2s"
            {broker}
            [consumers.echo]
            type = "consumers.py:Echo"
            {consumer}
            """,
        )

    def row(self) -> dict[str, Any]:
        row: dict[str, Any] = self.hub.status()["backends"]["bus"]
        return row

    def connected(self) -> None:
        wait_until(lambda: self.row()["state"] == "connected", 60, "the hub to be connected")

    def declare(self, port: int, *queues: str) -> None:
        """Make the queues on the broker."""
        login: dict[str, Any] = {"login": "guest", "passcode": f"file:{self.directory}/passcode"}
        with clients.running(port, destinations=list(queues), **login):
            pass  # it is connected: the subscriptions are confirmed

    def publish(self, port: int, numbers: range) -> None:
        """As another program; all have their receipts at the end."""
        login: dict[str, Any] = {"login": "guest", "passcode": f"file:{self.directory}/passcode"}
        with clients.running(port, destinations=[], publish="/queue/work", **login) as (client, _):
            outcomes: list[object] = []
            for number in numbers:
                client.publish(Message(f"id-{number}", "work", b"%d" % number)).addBoth(outcomes.append)
            turn_until(lambda: len(outcomes) == len(numbers), "the receipts", 60)
            assert set(outcomes) == {None}

    def all_sent(self) -> None:
        """Until the broker has confirmed an answer to each message that was noted."""
        wait_until(lambda: self.row()["outbox_sent"] >= len(self.noted()), 60, "all answers to be sent")

    def noted(self) -> list[int]:
        file = self.directory / "echo.jsonl"
        lines = file.read_bytes().split(b"\n")[:-1] if file.exists() else []
        return [json.loads(line)["n"] for line in lines]

    def all_noted(self, count: int) -> Counter[int]:
        wait_until(lambda: len(set(self.noted())) >= count, 60, lambda: f"{count} messages, not {len({*self.noted()})}")
        found = Counter(self.noted())
        assert set(found) == set(range(count))
        return found


Broker = RabbitMQ | ActiveMQ | StompHub
KINDS: dict[str, type[Broker]] = {"rabbitmq": RabbitMQ, "activemq": ActiveMQ, "hub": StompHub}


@pytest.fixture(params=KINDS)
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    """One that the test may stop and kill."""
    made = KINDS[request.param](tmp_path / "broker")
    made.__enter__()
    yield made
    if made.is_running:
        made.__exit__(None, None, None)


def at(*brokers: Broker) -> list[str]:
    return [f"stomp://127.0.0.1:{broker.port}" for broker in brokers]


@pytest.mark.parametrize("kill", [False, True], ids=["stopped", "killed"])
def test_a_broker_that_comes_back_is_consumed_again_and_loses_nothing(
    broker: Broker, tmp_path: Path, kill: bool
) -> None:
    rig = Rig(tmp_path, at(broker), consumer="answers = true", broker='reconnect_interval_max = "1s"')
    if kill:
        # RabbitMQ 3.10 may forget a queue that is new, with what it has confirmed for it, when it is killed.
        rig.declare(broker.port, "/queue/work", "/queue/done")
        broker.__exit__(None, None, None)
        broker.__enter__()
    with rig.hub as hub:
        rig.connected()
        wait_until(lambda: hub.status()["hub"]["ready"], 20, "readiness")
        rig.publish(broker.port, range(500))
        rig.all_noted(500)
        if kill:
            broker.kill()
        else:
            broker.__exit__(None, None, None)
        wait_until(lambda: rig.row()["state"] == "connecting", 20, "the hub to notice")
        reasons = hub.status()["hub"]["not_ready"]
        assert len(reasons) == 1
        assert reasons[0].startswith(f"backend bus is not connected: stomp://127.0.0.1:{broker.port}: ")
        broker.__enter__()
        rig.connected()
        wait_until(lambda: hub.status()["hub"]["ready"], 20, "readiness")
        rig.publish(broker.port, range(500, 600))
        rig.all_noted(600)
        rig.all_sent()
        assert rig.row()["outbox_failed"] == 0
        wait_until(lambda: rig.row()["unacknowledged"] == 0, 20, "the acknowledgements")
        assert hub.stop() == 0
    answers = drained(broker.port, tmp_path, "/queue/done", 600)
    assert set(answers) == set(range(600))


def drained(port: int, directory: Path, destination: str, least: int) -> list[int]:
    """Numbers that a queue holds."""
    login: dict[str, Any] = {"login": "guest", "passcode": f"file:{directory}/passcode"}
    with clients.running(port, destinations=[destination], ack="auto", **login) as (_, intake):
        with suppress(pytest.fail.Exception):  # the caller says what is missing
            turn_until(lambda: len(set(intake.bodies)) >= least, f"{least} messages", 30)
        return [int(body) for body in intake.bodies]


def test_a_hub_that_is_killed_again_and_again_loses_nothing(rabbitmq: RabbitMQ, tmp_path: Path) -> None:
    """And repeats at most what was not acknowledged."""
    kills, each, prefetch = 5, 400, 100
    rig = Rig(tmp_path, at(rabbitmq), broker=f"prefetch = {prefetch}")
    for kill in range(kills):
        rig.publish(rabbitmq.port, range(kill * each, (kill + 1) * each))
        with rig.hub:
            least = kill * each + each // 2
            wait_until(lambda least=least: len(set(rig.noted())) > least, 60, "half of it")  # type: ignore[misc]
            rig.hub.process.send_signal(signal.SIGKILL)
            rig.hub.process.wait()
    with rig.hub as hub:
        found = rig.all_noted(kills * each)
        wait_until(lambda: rig.row()["unacknowledged"] == 0, 20, "the acknowledgements")
        assert hub.stop() == 0
    # A repeat comes from the broker (not acknowledged), or from the store (not finished).
    assert sum(found.values()) - len(found) <= kills * 2 * prefetch
    with rig.hub:
        rig.connected()
        assert rig.row()["received"] == 0  # the broker has nothing left


def test_after_the_work_the_broker_has_what_is_not_done(broker: Broker, tmp_path: Path) -> None:
    """With queues in memory: nothing is on the hub's disk."""
    rig = Rig(tmp_path, at(broker), broker='confirm = "settled"', consumer="durable = false")
    rig.publish(broker.port, range(300))
    with rig.hub as hub:
        wait_until(lambda: len(rig.noted()) > 100, 60, "some of it")
        hub.command("queue", "pause", "echo")
        hub.process.send_signal(signal.SIGKILL)
        hub.process.wait()
    rig.publish(broker.port, range(300, 310))
    with rig.hub as hub:
        hub.command("queue", "resume", "echo", check=False)
        rig.all_noted(310)
        wait_until(lambda: rig.row()["unacknowledged"] == 0, 20, "the acknowledgements")


def test_the_first_broker_may_be_down_and_the_next_one_is_used(
    rabbitmq: RabbitMQ, activemq: ActiveMQ, tmp_path: Path
) -> None:
    nobody = f"stomp://127.0.0.1:{free_port()}"
    with RabbitMQ(tmp_path / "own") as own:
        rig = Rig(tmp_path, [nobody, *at(own), *at(activemq)])
        with rig.hub:
            rig.connected()
            assert {row["endpoint"] for row in rig.row()["endpoints"]} == set(at(own))
            rig.publish(own.port, range(10))
            rig.all_noted(10)
            own.kill()
            wait_until(lambda: {row["endpoint"] for row in rig.row()["endpoints"]} == set(at(activemq)), 30, "the next")
            rig.connected()
            rig.publish(activemq.port, range(10, 20))
            rig.all_noted(20)


def test_tls_with_names_and_certificates_on_both_sides(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    mine = authority.sign("hub")
    tls = f"""
        tls_ca_file = "{authority.file}"
        tls_certificate_file = "{mine.file}"
        tls_key = "file:{mine.key}"
    """
    with RabbitMQ(tmp_path / "broker", authority) as broker:
        rig = Rig(tmp_path, [f"stomp+ssl://localhost:{broker.tls_port}"], broker=tls)
        with rig.hub:
            rig.connected()
            rig.publish(broker.port, range(10))
            rig.all_noted(10)
        without = (tmp_path / "without").resolve()
        without.mkdir()
        rig = Rig(without, [f"stomp+ssl://localhost:{broker.tls_port}"], broker=f'tls_ca_file = "{authority.file}"')
        with rig.hub:
            wait_until(lambda: rig.row()["handshake_failures"] > 0, 20, "the refusal")
            assert rig.row()["state"] == "connecting"


def test_a_broker_without_room_takes_acknowledgements_and_gets_the_rest_later(tmp_path: Path) -> None:
    """RabbitMQ with a memory alarm reads no more from connections that publish."""
    with RabbitMQ(tmp_path / "broker") as broker:
        rig = Rig(tmp_path, at(broker), consumer="answers = true")
        rig.publish(broker.port, range(300))
        broker.control("set_vm_memory_high_watermark", "0.0000001")
        with rig.hub as hub:
            rig.connected()
            rig.all_noted(300)
            wait_until(lambda: rig.row()["unacknowledged"] == 0, 20, "the acknowledgements")
            # What was published is in the outbox with the commit of the work, after that of the message.
            wait_until(lambda: rig.row()["outbox_waiting"] > 0, 20, "the messages that the broker does not take")
            broker.control("set_vm_memory_high_watermark", "0.6")
            rig.all_sent()
            assert hub.stop() == 0
        assert set(drained(broker.port, tmp_path, "/queue/done", 300)) == set(range(300))
