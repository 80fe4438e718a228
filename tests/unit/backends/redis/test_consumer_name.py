"""The name of a hub in its group."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hub.backends.redis.client import Redis
from hub.backends.redis.consumer_name import default_consumer
from tests.unit.backends.redis.clients import connected, settings
from tests.unit.backends.redis.double import Double
from tests.unit.backends.support import Recorder, hub_context, stop, turn_until


def test_the_only_hub_of_a_machine_has_its_name() -> None:
    assert default_consumer("box", Path("/var/lib/hubbub")) == "box"


def test_two_hubs_of_one_machine_do_not_get_each_others_messages(server: Double) -> None:
    """By one name the second would be given what the first has in hand."""
    server.do("XADD", "work", "*", "body", "1")
    hubs = []
    for name in ("a", "b"):
        context = replace(hub_context(settings(server.port)), state_dir=Path(f"/srv/{name}/state"))
        hub, intake = Redis(context), Recorder()
        hub.start(intake)
        connected(hub)
        hubs.append((hub, intake))
        turn_until(lambda: hubs[0][1].messages, "the message")
    asked = server.commands.count("XREADGROUP")
    turn_until(lambda: server.commands.count("XREADGROUP") > asked + 6, "further reading")
    assert [intake.bodies for _, intake in hubs] == [[b"1"], []]
    for hub, _ in hubs:
        stop(hub)
