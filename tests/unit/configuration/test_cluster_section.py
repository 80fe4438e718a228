"""Clusters, as ``hubbub check`` sees them."""

from __future__ import annotations

from pathlib import Path

import pytest

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
CLUSTER = '[clusters.main]\nbackend = "bus"\n'


@pytest.mark.parametrize(
    ("backend", "why"),
    [
        (REDIS + 'streams = ["a"]\npublish = "b"\n', "it publishes to a stream"),
        (REDIS + 'streams = ["a"]\n', "it needs channels, and publish_channel"),
        (AMQP + 'publish = ""\nqueues = {a = {}}\n', "it needs an exchange to publish to"),
        (AMQP + 'publish = "amq.topic"\n', "a queue of this hub alone"),
    ],
)
def test_a_bus_on_which_one_hub_alone_would_hear_them_is_refused(tmp_path: Path, backend: str, why: str) -> None:
    (problem,) = problems(tmp_path, backend + CLUSTER)
    assert "announcements over [backends.bus] would not reach every hub: " in problem
    assert why in problem


def test_a_bus_on_which_all_hear_them_is_taken(tmp_path: Path) -> None:
    configure(tmp_path, REDIS + 'channels = ["hubbub.cluster"]\npublish_channel = "{topic}"\n' + CLUSTER)
    configure(tmp_path, AMQP + 'publish = "amq.topic"\nqueues = {a = {}}\n' + CLUSTER)


def test_two_clusters_have_two_topics(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, BUS + '[clusters.a]\nbackend = "bus"\n[clusters.b]\nbackend = "bus"\n')
    assert problem.endswith("clusters.b.topic: hubbub.cluster is the topic of clusters.a already")
    configure(tmp_path, BUS + '[clusters.a]\nbackend = "bus"\n[clusters.b]\nbackend = "bus"\ntopic = "other"\n')


def test_a_pattern_is_no_topic(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, BUS + '[clusters.main]\nbackend = "bus"\ntopic = "a.#"\n')
    assert "clusters.main.topic" in problem
