"""Clusters, as ``hubbub check`` sees them."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.configuration.sections import SECTIONS
from tests.unit.configuration.configurations import configure, problems

BUS = '[backends.bus]\ntype = "memory"\n'


def test_the_class_has_its_defaults(tmp_path: Path) -> None:
    part = configure(tmp_path, BUS + '[clusters.main]\nbackend = "bus"\n').of("clusters")["main"]
    assert (part.settings.type, part.config.topic, part.config.interval) == ("announcements", "hubbub.cluster", 3.0)


def test_the_backend_must_be_there(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, BUS + '[clusters.main]\nbackend = "buzz"\n')
    assert problem.endswith("clusters.main.backend: there is no [backends.buzz]; there are: bus")
    (problem,) = problems(tmp_path, '[clusters.main]\nbackend = "buzz"\n')
    assert problem.endswith("there are: none")
    (problem,) = problems(tmp_path, BUS + 'enabled = false\n[clusters.main]\nbackend = "bus"\n')
    assert problem.endswith("[backends.bus] is not enabled")


REDIS = '[backends.bus]\ntype = "redis"\nconnect = "redis://127.0.0.1"\n'
AMQP = '[backends.bus]\ntype = "amqp"\nconnect = ["amqp://127.0.0.1"]\n'
AMQP_BOUND = AMQP + 'publish = "amq.topic"\n[backends.bus.queues.a]\n'
STOMP = '[backends.bus]\ntype = "stomp"\nconnect = ["stomp://127.0.0.1"]\n'
CLUSTER = '[clusters.main]\nbackend = "bus"\n'


@pytest.mark.parametrize(
    ("backend", "why"),
    [
        (REDIS + 'streams = ["a"]\npublish = "b"\n', "it publishes to a stream"),
        (REDIS + 'streams = ["a"]\n', "it needs channels, and publish_channel"),
        (STOMP + 'destinations = ["/queue/a"]\n', "it needs destinations to receive from, and one to publish to"),
        (STOMP + 'destinations = ["/topic/a"]\npublish = "/queue/{topic}"\n', "goes to one of its readers"),
        (AMQP + 'publish = ""\nqueues = {a = {}}\n', "it needs an exchange to publish to"),
        (AMQP + 'publish = "amq.topic"\n', "a queue of this hub alone"),
        (AMQP_BOUND + 'bindings = [{exchange = "amq.topic", keys = ["hubbub.cluster"]}]\n', "exclusive = true"),
        (AMQP_BOUND + 'bindings = [{exchange = "amq.topic"}]\n', "hubs that read one queue share its messages"),
        (AMQP + 'publish = "amq.topic"\nrouting_key = "x.{topic}"\nqueues = {a = {}}\n', "'x.hubbub.cluster'"),
        (
            AMQP + 'publish = "amq.topic"\nformat = "fedora-messaging"\ntopic_prefix = "org"\nqueues = {a = {}}\n',
            "'org.hubbub.cluster'",
        ),
    ],
)
def test_a_bus_on_which_one_hub_alone_would_hear_them_is_refused(tmp_path: Path, backend: str, why: str) -> None:
    (problem,) = problems(tmp_path, backend + CLUSTER)
    assert "announcements over [backends.bus] would not reach every hub: " in problem
    assert why in problem


def test_a_bus_on_which_all_hear_them_is_taken(tmp_path: Path) -> None:
    configure(tmp_path, REDIS + 'channels = ["hubbub.cluster"]\npublish_channel = "{topic}"\n' + CLUSTER)
    stomp = 'destinations = ["/topic/hubbub.cluster"]\npublish = "/topic/{topic}"\n'
    configure(tmp_path, STOMP + stomp + CLUSTER)
    configure(tmp_path, AMQP + 'publish = "amq.topic"\nqueues = {a = {}}\n' + CLUSTER)
    alone = 'exclusive = true\nbindings = [{exchange = "amq.topic", keys = ["hubbub.#"]}]\n'
    work = '[backends.bus.queues.work]\nbindings = [{exchange = "amq.topic", keys = ["org.#"]}]\n'
    configure(tmp_path, AMQP_BOUND + alone + work + CLUSTER)


def test_two_clusters_have_two_topics(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, BUS + '[clusters.a]\nbackend = "bus"\n[clusters.b]\nbackend = "bus"\n')
    assert problem.endswith("clusters.b.topic: hubbub.cluster is the topic of clusters.a already")
    configure(tmp_path, BUS + '[clusters.a]\nbackend = "bus"\n[clusters.b]\nbackend = "bus"\ntopic = "other"\n')


def test_an_interval_that_makes_a_node_named_late_is_said(tmp_path: Path) -> None:
    def notes(interval: str) -> list[str]:
        part = configure(tmp_path, BUS + CLUSTER + f'interval = "{interval}"\n').of("clusters")["main"]
        return [note for note in SECTIONS["clusters"].notes(part) if "vanishes" in note]

    assert notes("4s") == []
    (note,) = notes("10s")
    assert (
        note == "a node that vanishes is named after up to 32s, as interval is 10s; with 4 s or less it is within 15 s"
    )


def test_a_pattern_is_no_topic(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, BUS + '[clusters.main]\nbackend = "bus"\ntopic = "a.#"\n')
    assert "clusters.main.topic" in problem
