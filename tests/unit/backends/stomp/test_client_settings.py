"""Settings of the STOMP client, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from hub.backends.stomp.client_settings import Config

LEAST: dict[str, Any] = {"connect": ["stomp://a"], "destinations": ["/queue/x"]}


def test_little_is_needed() -> None:
    config = Config(**LEAST)
    assert config.connect == ["stomp://a:61613"]
    assert (config.ack, config.prefetch, config.heart_beat, config.virtual_host) == (None, 1000, 10.0, "/")


def test_one_that_only_publishes_needs_no_destinations() -> None:
    assert Config(connect=["stomp://a"], publish="/topic/{topic}").destinations == []


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"destinations": []}, "give destinations to receive from, or publish, or both"),
        ({"connect": []}, "at least 1 item"),
        ({"connect": ["a:1"]}, "expected 'stomp://host:port'"),
        ({"connect": ["stomp://a", "stomp://a:61613"]}, "connect: stomp://a:61613 is given twice"),
        ({"destinations": ["/queue/x", "/queue/x"]}, "destinations: /queue/x is given twice"),
        ({"destinations": [""]}, "expected a destination"),
        ({"destinations": ["/topic/a\nb"]}, "expected a destination"),
        ({"publish": "/topic/{name}"}, "the only placeholder is {topic}"),
        ({"publish": "/topic/}"}, "the only placeholder is {topic}"),
        ({"passcode": "file:/p"}, "passcode needs login"),
        ({"passcode": "hunter2"}, "a secret is not written into the configuration"),
        ({"tls_key": "file:/k"}, "tls_certificate_file and tls_key go together"),
        ({"tls_ca_file": "/ca.pem"}, "tls_ca_file is for TLS, and no address in connect begins with 'stomp.ssl:'"),
        ({"tls_server_name": "a"}, "tls_server_name is for TLS"),
        ({"max_frame_size": "1MiB"}, "max_frame_size must not be smaller than max_message_size"),
        ({"subscribe_headers": {"ack": "auto"}}, "the header 'ack' is set by the backend itself"),
        ({"publish_headers": {"Receipt": "1"}}, "the header 'Receipt' is set by the backend itself"),
        ({"publish_headers": {"": "1"}}, "expected names of headers"),
        ({"durable_name": "a b"}, "pattern"),
        ({"prefetch": 0}, "greater than or equal to 1"),
    ],
)
def test_mistakes_are_named(given: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        Config(**{**LEAST, **given})


def test_tls_takes_files() -> None:
    files = {"tls_ca_file": "/ca.pem", "tls_certificate_file": "/c.pem", "tls_key": "credential:key"}
    config = Config(**{**LEAST, "connect": ["stomp+ssl://a"], **files})
    assert config.tls_ca_file == Path("/ca.pem")
    assert config.addresses[0].tls
