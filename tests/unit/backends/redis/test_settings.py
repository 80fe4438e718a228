"""Settings that can't be together."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from hub.backends.redis.settings import Config

SENTINELS: dict[str, Any] = {"connect": None, "sentinels": ["redis://a", "redis://b", "redis://c"], "master": "m"}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"connect": None}, "give connect, or sentinels and master"),
        ({"sentinels": ["redis://a"], "master": "m"}, "give connect, or sentinels and master"),
        ({"master": "m"}, "sentinels and master go together"),
        ({"streams": []}, "give streams or channels"),
        ({"channels": ["c"]}, "streams and channels are two ways"),
        ({"publish": "a", "publish_channel": "b"}, "not both"),
        ({"streams": ["a", "a"]}, "streams: a is given twice"),
        ({"topic_prefix": "org"}, "topic_prefix is for format = 'fedora-messaging'"),
        ({"format": "fedora-messaging", "publish_channel": "c"}, "'fedora-messaging' needs streams: its headers are"),
        ({"format": "fedora-messaging", "streams": [], "channels": ["c"]}, "'fedora-messaging' needs streams"),
        (
            {"format": "cloudevents", "cloudevents_mode": "binary", "publish_channel": "c"},
            "cloudevents_mode = 'binary' needs a stream",
        ),
        ({"trim": "always"}, "needs keep_length or keep_age"),
        ({"trim": "always", "keep_length": 1, "keep_age": 1.0}, "needs keep_length or keep_age"),
        ({"trim": "acknowledged", "keep_length": 5}, "keep_length needs trim = 'always'"),
        ({"keep_age": 5.0}, "keep_age needs trim"),
        ({"refused_stream": "work"}, "refused_stream is one of the streams"),
        ({"username": "hub"}, "username needs password"),
        ({"tls_ca_file": "/ca.pem"}, "tls_ca_file is for TLS"),
        ({"tls_certificate_file": "/a.pem", "connect": "rediss://a"}, "tls_certificate_file and tls_key go together"),
        ({"publish": "out.{name}"}, "the only placeholder is {topic}"),
        ({"streams": ["a\nb"]}, "expected the name of a stream"),
        ({"streams": ["a" * 1025]}, "of 1024 characters at most"),
        ({"password": "plain text"}, "file:/path"),
    ],
)
def test_a_contradiction_is_named(given: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        Config(**{"connect": "redis://localhost", "streams": ["work"], **given})


def test_with_sentinels_a_replica_must_have_what_was_published() -> None:
    """An old master has none."""
    assert Config(connect="redis://localhost", streams=["work"]).replicas == 0
    assert Config(**SENTINELS, streams=["work"]).replicas == 1
    assert Config(**SENTINELS, streams=["work"], wait_replicas=0).replicas == 0


def test_addresses_have_their_default_ports() -> None:
    config = Config(**SENTINELS, streams=["work"])
    assert config.server is None
    assert [one.port for one in config.sentinel_addresses] == [26379] * 3
    assert not config.tls
    assert Config(connect="rediss://a", streams=["work"]).tls
