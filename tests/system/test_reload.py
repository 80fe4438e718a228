"""``hubbub reload`` changes the buses of a real hub while they are used."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.support import wait_until
from tests.system.hubs import RunningHub
from tests.system.publishers import CONSUMER, RECORDER, place, publisher, seen

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]


def bus(name: str = "bus", **settings: Any) -> str:
    lines = [f"[backends.{name}]", 'type = "zeromq"', *(f"{key} = {json.dumps(v)}" for key, v in settings.items())]
    return "\n".join(lines) + "\n"


def hub_of(directory: Path, backends: str) -> RunningHub:
    (directory / "recorder.py").write_text(RECORDER)
    return RunningHub(directory, backends + CONSUMER)


def reload(hub: RunningHub, backends: str, code: int = 0) -> dict[str, Any]:
    """With these backends; what ``hubbub reload --json`` says."""
    hub.file.write_text(backends + CONSUMER)
    done = hub.command("reload", "--json", check=False)
    assert done.returncode == code, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    assert done.stderr == "".join(f"hubbub: {line}\n" for line in answer["problems"])
    return answer


def endpoints(hub: RunningHub, backend: str = "bus") -> dict[str, str]:
    return {row["configured"]: row["state"] for row in hub.status()["backends"][backend]["endpoints"]}


def test_an_endpoint_that_is_added_is_heard_and_one_that_is_dropped_is_not(tmp_path: Path) -> None:
    kept, bound, other = place(), place(), place()
    with publisher("kept", kept) as first, hub_of(tmp_path, bus(connect=[kept])) as hub:
        first.subscribed()
        pid = hub.status()["hub"]["pid"]
        with publisher("bound", bound, bind=False) as second, publisher("other", other) as third:
            answer = reload(hub, bus(connect=[kept, other], bind=[bound]))
            assert answer == {"changes": ["backend bus: changed (connect, bind)"], "problems": []}
            for one in (second, third):
                one.subscribed()
                one.send(10)
            wait_until(lambda: seen(tmp_path, "bound") == seen(tmp_path, "other") == [*range(10)], 20, "both")
            reload(hub, bus(connect=[kept]))
            wait_until(lambda: endpoints(hub) == {kept: "connected"}, 20, "the other two to go")
            for one in (second, third, first):
                one.send(5)
            wait_until(lambda: len(seen(tmp_path, "kept")) == 5, 20, "the one that stays")
            assert len(seen(tmp_path, "bound") + seen(tmp_path, "other")) == 20
        row = hub.status()["backends"]["bus"]
        assert (hub.status()["hub"]["pid"], row["disconnects"], row["peers"]) == (pid, 0, 1)


def test_twenty_reloads_under_load_lose_nothing_of_the_endpoint_that_stays(tmp_path: Path) -> None:
    kept, bound, other = place(), place(), place()
    always, more = bus(connect=[kept]), bus(connect=[kept, other], bind=[bound], publish_bind=[place()])
    with (
        publisher("kept", kept) as first,
        publisher("other", other) as second,
        publisher("bound", bound, bind=False) as third,
        hub_of(tmp_path, always) as hub,
    ):
        first.subscribed()
        with first.flooding(50, 0.01), second.flooding(10, 0.01), third.flooding(10, 0.01):
            for turn in range(20):
                before = first.sent
                reload(hub, always if turn % 2 else more)
                wait_until(lambda: first.sent > before + 200, 20, "the load to go on")  # noqa: B023 - used at once
        assert first.sent > 4000
        wait_until(lambda: len(seen(tmp_path, "kept")) >= first.sent, 60, "all that was sent")
        assert seen(tmp_path, "kept") == [*range(first.sent)]
        assert hub.status()["backends"]["bus"]["disconnects"] == 0
        for name in ("other", "bound"):
            numbers = seen(tmp_path, name)
            assert numbers
            assert numbers == sorted(set(numbers))
        assert "Traceback" not in hub.log
        assert hub.stop() == 0


@pytest.mark.parametrize("others", [{}, {"receive_high_water": 7}], ids=["while it runs", "replaced"])
def test_an_address_in_use_is_told_and_tried_again_by_the_next_reload(tmp_path: Path, others: dict[str, Any]) -> None:
    kept, taken = place(), place()
    wanted = bus(connect=[kept], bind=[taken], **others)
    with publisher("kept", kept) as first, hub_of(tmp_path, bus(connect=[kept])) as hub:
        first.subscribed()
        with publisher("taken", taken):
            answer = reload(hub, wanted, code=69)
            why = f"backends.bus: bind: {taken} can't be bound: Address already in use; it keeps its old settings"
            assert answer == {"changes": [], "problems": [why]}
            assert reload(hub, wanted, code=69) == answer
            hub.logs(f"reload: {why}")
            said = hub.command("reload", check=False)
            assert (said.stdout, said.stderr) == ("", f"hubbub: {why}\n")
        wait_until(lambda: endpoints(hub) == {kept: "connected"}, 20, "the connection")
        if others:
            first.subscribed()
        first.send(3)
        wait_until(lambda: seen(tmp_path, "kept") == [0, 1, 2], 20, "messages, as before")
        names = ", ".join(["bind", *others])
        assert reload(hub, wanted) == {"changes": [f"backend bus: changed ({names})"], "problems": []}
        assert endpoints(hub)[taken] == "listening"
        assert hub.command("reload").stdout == "no changes\n"


def test_backends_are_added_and_removed(tmp_path: Path) -> None:
    one, two, taken = place(), place(), place()
    with (
        publisher("one", one) as first,
        publisher("two", two) as second,
        publisher("taken", taken),
        hub_of(tmp_path, bus(connect=[one])) as hub,
    ):
        first.subscribed()
        added = reload(hub, bus(connect=[one]) + bus("other", connect=[two]) + bus("bad", bind=[taken]), code=69)
        assert added["changes"] == ["backend other: added"]
        assert added["problems"] == [f"backends.bad: bind: {taken} can't be bound: Address already in use"]
        assert set(hub.status()["backends"]) == {"bus", "other"}
        second.subscribed()
        second.send(4)
        wait_until(lambda: seen(tmp_path, "two") == [*range(4)], 20, "messages of the other backend")
        removed = reload(hub, bus("other", connect=[two]))
        assert removed == {"changes": ["backend bus: removed"], "problems": []}
        first.send(4)
        second.send(4)
        wait_until(lambda: seen(tmp_path, "two") == [*range(8)], 20, "messages of the backend that stays")
        assert seen(tmp_path, "one") == []
        assert set(hub.status()["backends"]) == {"other"}


def test_an_address_goes_from_one_backend_to_another(tmp_path: Path) -> None:
    shared, others = place(), [place(), place()]
    with (
        hub_of(tmp_path, bus("a", bind=[others[0]]) + bus("b", bind=[others[1], shared])) as hub,
        publisher("one", shared, bind=False) as one,
    ):
        one.subscribed()
        answer = reload(hub, bus("a", bind=[others[0], shared]) + bus("b", bind=[others[1]]))
        assert answer == {"changes": ["backend a: changed (bind)", "backend b: changed (bind)"], "problems": []}
        one.subscribed()
        one.send(3)
        wait_until(lambda: seen(tmp_path, "one") == [0, 1, 2], 20, "messages")
        assert hub.status()["backends"]["a"]["received"] == 3


def test_a_dropped_publisher_that_floods_is_read_to_its_end_and_let_go(tmp_path: Path) -> None:
    kept, flood = place(), place()
    with (
        publisher("kept", kept) as first,
        publisher("flood", flood) as second,
        hub_of(tmp_path, bus(connect=[kept, flood])) as hub,
    ):
        first.subscribed()
        second.subscribed()
        with second.flooding(200, 0.001):
            hub.wait_for("recorder", "received", 1000)
            hub.file.write_text(bus(connect=[kept]) + CONSUMER)
            hub.process.send_signal(signal.SIGHUP)
            wait_until(lambda: endpoints(hub) == {kept: "connected"}, 20, "the flood to be let go")
        first.send(2)
        wait_until(lambda: seen(tmp_path, "kept") == [0, 1], 60, "the one that stays")
        numbers = seen(tmp_path, "flood")
        assert numbers == [*range(len(numbers))]
