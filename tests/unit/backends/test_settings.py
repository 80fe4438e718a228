from typing import Any

import pytest
from pydantic import ValidationError

from hub.backends.zeromq import Config

SECRET = "file:/etc/key"
KEY = "/etc/server.key"


def problems(**settings: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        Config(**settings)
    return str(caught.value)


def test_one_endpoint_is_enough() -> None:
    assert Config(connect=["tcp://127.0.0.1:9940"]).format == "fedmsg"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({}, "give at least one of connect"),
        ({"connect": ["tcp://*:1"]}, "takes a host and a port"),
        ({"connect": ["tcp://a:0"]}, "takes a host and a port"),
        ({"bind": ["tcp://a:1", "tcp://a:1"]}, "tcp://a:1 is given twice"),
        ({"bind": ["tcp://a:1"], "max_frame_size": "1MiB"}, "max_frame_size must not be smaller"),
        ({"bind": ["tcp://a:1"], "reconnect_interval_max": "1ms"}, "must not be shorter"),
        ({"bind": ["tcp://a:1"], "plain_username": "u"}, "go together"),
        ({"bind": ["tcp://a:1"], "plain_password": SECRET}, "go together"),
        ({"bind": ["tcp://a:1"], "plain_password": "hunter2"}, "a secret is not written"),
        (
            {"bind": ["tcp://a:1"], "plain_username": "u", "plain_password": SECRET, "curve_secret_key": SECRET},
            "exclude each other",
        ),
        ({"connect": ["tcp://a:1"], "curve_secret_key": SECRET}, "need curve_server_key_file"),
        ({"bind": ["tcp://a:1"], "curve_server_key_file": KEY}, "need curve_secret_key"),
        ({"bind": ["tcp://a:1"], "curve_server_key_file": KEY}, "neither is given"),
        ({"connect": ["tcp://a:1"], "curve_allowed_keys_file": KEY}, "curve_allowed_keys_file is for bind"),
        ({"bind": ["tcp://a:1"], "curve_allowed_keys_file": KEY}, "curve_allowed_keys_file is for bind"),
    ],
)
def test_what_does_not_fit_is_said_in_a_sentence(settings: dict[str, Any], sentence: str) -> None:
    assert sentence in problems(**settings)


def test_all_problems_are_told_at_once() -> None:
    text = problems(plain_username="u", reconnect_interval_max="1ms")
    assert "give at least one" in text
    assert "go together" in text
    assert "must not be shorter" in text


def test_two_wildcard_ports_are_two_endpoints() -> None:
    assert len(Config(bind=["tcp://127.0.0.1:*", "tcp://127.0.0.1:*"]).bind) == 2
