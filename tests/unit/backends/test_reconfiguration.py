"""Which settings a running backend can take."""

from __future__ import annotations

from typing import Any

import pytest

from hub.backends.zeromq.reconfiguration import added, is_alterable
from tests.unit.backends.support import configured

BOUND, PEER = "tcp://127.0.0.1:9940", "tcp://bus.example.org:9940"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"bind": [BOUND]}, {"bind": [BOUND], "connect": [PEER]}),
        ({"bind": [BOUND], "connect": [PEER]}, {"connect": [PEER]}),
        ({"connect": [PEER]}, {"publish_connect": [PEER]}),
        ({"bind": [BOUND]}, {"bind": ["tcp://127.0.0.1:9941"]}),
        ({"bind": ["tcp://127.0.0.1:*"]}, {"bind": ["tcp://[::1]:*"]}),
        ({"bind": ["ipc:///run/a"]}, {"bind": ["ipc:///run/b"], "publish_bind": ["ipc:///run/c"]}),
    ],
)
def test_lists_of_endpoints_may_differ(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert is_alterable(configured(**old), configured(**new))


@pytest.mark.parametrize(
    "other", [{"receive_high_water": 7}, {"format": "raw"}, {"plain_username": "a", "plain_password": "file:/b"}]
)
def test_nothing_else_may(other: dict[str, Any]) -> None:
    assert not is_alterable(configured(bind=[BOUND]), configured(bind=[BOUND], connect=[PEER], **other))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"bind": [BOUND]}, {"bind": ["tcp://*:9940"]}),
        ({"bind": [BOUND]}, {"publish_bind": [BOUND]}),
        ({"bind": [BOUND, "tcp://127.0.0.2:9940"]}, {"bind": [BOUND]}),
        ({"bind": ["ipc:///run/a"], "connect": [PEER]}, {"publish_bind": ["ipc:///run/a"], "connect": [PEER]}),
        ({"bind": ["tcp://127.0.0.1:*"] * 2}, {"bind": ["tcp://127.0.0.1:*"]}),
    ],
)
def test_a_port_has_to_be_let_go_before_it_is_bound_otherwise(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert not is_alterable(configured(**old), configured(**new))


def test_the_difference_keeps_its_order() -> None:
    assert added(["a", "b"], ["d", "b", "c"]) == ["d", "c"]
