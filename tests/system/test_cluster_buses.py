"""Three hubs announce themselves over RabbitMQ, Redis and ZeroMQ, with the files of the page but for the addresses."""

from __future__ import annotations

import json
import os
import re
import signal
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from hub.cluster.members import MISSED
from hub.cluster.seal import Seal
from tests.support import PATIENCE, ROOT, free_port, wait_until
from tests.system.hubs import RunningHub
from tests.system.rabbitmq import RabbitMQ
from tests.system.redis import RedisServer
from tests.system.server import Server
from tests.unit.cluster.news import announcement

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]
PAGE = ROOT / "docs" / "cluster.rst"
NODES = ("alpha", "beta", "gamma")
WITHIN = 15.0
"""Seconds in which a node that vanishes is named."""
HEAD = """
[hub]
state_dir = "state"
[consumers.all]
type = "all.py:All"
"""
ALL = """
from hub import Consumer


class All(Consumer):
    topics = ("#",)

    def consume(self, message):
        with open("consumed", "a") as file:
            file.write(message.topic + "\\n")
"""
Text = Callable[[str], str]
Bus = tuple[Text, Server | None]
"""``hub.conf`` of a node, and the broker."""


def of_the_page(bus: str) -> str:
    (found,) = re.findall(rf"\.\. code-block:: toml\n\n(    # {bus}\n(?:    .*\n|\n)+)", PAGE.read_text())
    return textwrap.dedent(found)


@contextmanager
def rabbitmq(directory: Path) -> Iterator[Bus]:
    text = of_the_page("RabbitMQ")
    with RabbitMQ(directory) as broker:
        yield lambda _: text.replace("amqp://mq.example.org", f"amqp://127.0.0.1:{broker.amqp_port}"), broker


@contextmanager
def redis(directory: Path) -> Iterator[Bus]:
    text = of_the_page("Redis")
    with RedisServer(directory) as server:
        yield lambda _: text.replace("redis://redis.example.org", server.url), server


@contextmanager
def zeromq(directory: Path) -> Iterator[Bus]:
    text, ports = of_the_page("ZeroMQ"), [free_port() for _ in NODES]

    def of(node: str) -> str:
        mine = ports[NODES.index(node)]
        others = [port for port in ports if port != mine]
        found = text.replace(":9950", f":{mine}").replace(":9951", f":{others[0]}")
        return found.replace(":9952", f":{others[1]}")

    yield of, None


def view(hub: RunningHub) -> Any:
    return hub.status()["clusters"]["main"]


def states(hub: RunningHub) -> dict[str, str]:
    return {name: row["state"] for name, row in view(hub)["nodes"].items()}


def hub_of(place: Path, text: str, key: Path) -> RunningHub:
    place.mkdir()
    (place / "all.py").write_text(ALL)
    return RunningHub(place, HEAD + text.replace("alpha", place.name).replace("/etc/hubbub/cluster.key", str(key)))


def refuses_a_forged_one(hub: RunningHub, by: RunningHub) -> None:
    forged = Seal("hubbub.cluster", b"the key of somebody else").close(announcement("mallory", time=time.time()))
    by.client.post("/publish", {"topic": "hubbub.cluster", "body": json.loads(forged), "backend": "announcements"})
    wait_until(lambda: view(hub)["refused"] == {"forged": 1}, 30, "the forged one to be refused")
    assert "mallory" not in states(hub)


def is_still_seen_while_it_is_drained(hub: RunningHub, by: RunningHub) -> None:
    """Of a node that were silent, its silence would grow beyond that of three announcements."""
    hub.command("drain")
    wait_until(lambda: view(hub)["state"] == "deaf", 30, "the hub to be deaf")
    announced = view(hub)["announced"]
    wait_until(lambda: view(hub)["announced"] >= announced + MISSED + 1, 60, "some announcements of the drained one")
    assert states(by)[hub.directory.name] == "present"
    assert hub.directory.name + " has vanished" not in by.log
    assert states(hub) == dict.fromkeys(NODES, "unheard") | {hub.directory.name: "present"}
    assert "not heard" in hub.command("status", "--cluster").stdout
    hub.command("resume")
    wait_until(lambda: view(hub)["state"] == "listening", 30, "the hub to listen")


@contextmanager
def suspended(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def takes_nobody_for_vanished_after_it_was_stopped_itself(hub: RunningHub, by: RunningHub) -> None:
    """The others say that it has vanished, and they are right."""
    name = hub.directory.name
    with suspended(hub.process.pid):
        wait_until(lambda: states(by)[name] == "vanished", WITHIN, "the stopped one to be silent")
    heard = view(hub)["heard"]
    wait_until(lambda: states(by)[name] == "present", 30, "it to be back")
    wait_until(lambda: view(hub)["heard"] > heard + 2 * len(NODES), 60, "some announcements of the others")
    wait_until(lambda: states(hub) == dict.fromkeys(NODES, "present"), 30, "all nodes")
    assert "has vanished" not in hub.log


def named_at(hub: RunningHub, node: str) -> float:
    """Epoch seconds, without a fraction, at which its log says that a node has vanished."""
    (line,) = [line for line in hub.log.splitlines() if f"node {node} has vanished" in line]
    return time.mktime(time.strptime(line[:19], "%Y-%m-%d %H:%M:%S"))


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """File of the key that all hubs have."""
    file = tmp_path / "cluster.key"
    file.write_text("a key for the tests of the cluster\n")
    file.chmod(0o600)
    return file


@pytest.mark.parametrize("bus", [zeromq, redis, rabbitmq])
def test_a_node_that_is_killed_is_named_and_one_that_stops_has_left(
    tmp_path: Path, key: Path, bus: Callable[[Path], AbstractContextManager[Bus]]
) -> None:
    (tmp_path / "bus").mkdir()
    with ExitStack() as stack:
        text, _ = stack.enter_context(bus(tmp_path / "bus"))
        hubs = [stack.enter_context(hub_of(tmp_path / node, text(node), key)) for node in NODES]
        alpha, beta, gamma = hubs
        for hub in hubs:
            wait_until(lambda hub=hub: states(hub) == dict.fromkeys(NODES, "present"), 30, "all nodes everywhere")  # type: ignore[misc]
        wait_until(lambda: view(alpha)["queues"]["all"]["nodes"] == 3, 30, "the sums of all")
        assert view(alpha)["signed"]

        refuses_a_forged_one(alpha, by=beta)
        is_still_seen_while_it_is_drained(gamma, by=alpha)
        takes_nobody_for_vanished_after_it_was_stopped_itself(gamma, by=alpha)

        killed = time.time()
        beta.process.send_signal(signal.SIGKILL)
        for hub in (alpha, gamma):
            wait_until(lambda hub=hub: states(hub)["beta"] == "vanished", WITHIN, "the node to be named")  # type: ignore[misc]
            hub.logs("node beta has vanished")
            assert -1 < named_at(hub, "beta") - killed < WITHIN * PATIENCE

        assert gamma.stop() == 0
        wait_until(lambda: states(alpha)["gamma"] == "left", WITHIN, "the node to have left")
        alpha.logs("node gamma has left: its hub stops in order")
        shown = alpha.command("status", "--cluster").stdout
        assert "1 node present, 1 left, 1 vanished" in shown
        assert alpha.status()["hub"]["ready"]
        assert alpha.consumer("all")["received"] == 0
        assert not (alpha.directory / "consumed").exists()
        beta.process.wait()
        with RunningHub(beta.directory, beta.file.read_text()):
            wait_until(lambda: states(alpha)["beta"] == "present", 30, "the node to be back")
            alpha.logs("node beta is back")


@pytest.mark.parametrize("bus", [redis, rabbitmq])
def test_hubs_whose_broker_stands_still_judge_nobody_and_say_that_they_hear_nothing(
    tmp_path: Path, key: Path, bus: Callable[[Path], AbstractContextManager[Bus]]
) -> None:
    (tmp_path / "bus").mkdir()
    with ExitStack() as stack:
        text, server = stack.enter_context(bus(tmp_path / "bus"))
        alpha, beta = (stack.enter_context(hub_of(tmp_path / node, text(node), key)) for node in NODES[:2])
        both = dict.fromkeys(NODES[:2], "present")
        for hub in (alpha, beta):
            wait_until(lambda hub=hub: states(hub) == both, 30, "both nodes")  # type: ignore[misc]
        assert server is not None
        with suspended(server.pid):
            for hub, other in ((alpha, "beta"), (beta, "alpha")):
                wait_until(lambda hub=hub, other=other: states(hub)[other] == "unheard", 60, "the other to be unheard")  # type: ignore[misc]
                assert view(hub)["state"] == "deaf"
        for hub in (alpha, beta):
            wait_until(lambda hub=hub: states(hub) == both, 60, "both nodes again")  # type: ignore[misc]
            assert "has vanished" not in hub.log
            # Of a Redis that does not answer its backend tells, before the announcements are missed.
            said = ("does not hear the other nodes over backend announcements", "no connection to redis:")
            assert any(text in hub.log for text in said)


def test_a_hub_alone_hears_itself_over_a_topic_of_stomp(rabbitmq: RabbitMQ, tmp_path: Path) -> None:
    (tmp_path / "passcode").write_text("guest")
    (tmp_path / "passcode").chmod(0o600)
    bus = f"""
    [backends.bus]
    type = "stomp"
    connect = ["stomp://127.0.0.1:{rabbitmq.port}"]
    login = "guest"
    passcode = "file:{tmp_path}/passcode"
    destinations = ["/topic/hubbub.cluster"]
    publish = "/topic/{{topic}}"
    [clusters.main]
    backend = "bus"
    node = "alone"
    interval = "1s"
    """
    (tmp_path / "all.py").write_text(ALL)
    with RunningHub(tmp_path, HEAD + textwrap.dedent(bus)) as hub:
        wait_until(lambda: view(hub)["announced"] >= 6, 60, "some announcements")
        assert view(hub)["state"] == "listening"
        assert "does not hear" not in hub.log


def test_a_second_hub_with_the_queue_of_another_is_refused_by_rabbitmq_and_says_so(tmp_path: Path, key: Path) -> None:
    (tmp_path / "bus").mkdir()
    with rabbitmq(tmp_path / "bus") as (text, _), hub_of(tmp_path / "alpha", text("alpha"), key) as alpha:
        wait_until(lambda: view(alpha)["state"] == "listening" and view(alpha)["announced"], 30, "the first one")
        with hub_of(tmp_path / "beta", text("beta"), key) as beta:
            beta.file.write_text(beta.file.read_text().replace("hubbub.cluster.beta", "hubbub.cluster.alpha"))
            beta.command("reload")
            wait_until(lambda: "RESOURCE_LOCKED" in str(view(beta)["deaf_because"]), 60, lambda: str(view(beta)))
            beta.logs("nothing comes from the queue 'hubbub.cluster.alpha': RESOURCE_LOCKED")
            wait_until(lambda: states(alpha).get("beta") == "present", 30, "what it announces to be heard")
        assert view(alpha)["state"] == "listening"
