"""A hub's view of its cluster: it announces itself, hears others, and tells what it knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from twisted.internet.defer import Deferred, fail

from hub.cluster.cluster import default_node
from hub.cluster.own import queues_of, reasons_of
from hub.cluster.seal import Seal
from hub.errors import ConfigError, Unavailable
from hub.status.catalogue import metrics
from tests.unit.cluster.news import A, queue
from tests.unit.cluster.view import KEY, OPEN, OWN, Bus, row, told


@pytest.fixture
def bus(tmp_path: Path) -> Bus:
    made = Bus(tmp_path)
    made.view.start()
    return made


def test_it_announces_its_queues_and_shows_itself(bus: Bus) -> None:
    bus.view.announce()
    (body,) = bus.sent
    own = OPEN.open(body)
    assert (own.node, own.start, own.number, own.queues[0].name, own.queues[0].backlog) == ("own", OWN, 1, "mail", 4)
    node = bus.status["nodes"]["own"]
    assert (node["own"], node["state"], node["backlog"], node["ready"]) == (True, "present", 4, True)
    assert (bus.status["announced"], bus.status["backlog"], bus.status["nodes_present"]) == (1, 4, 1)


def test_it_sums_what_others_announce(bus: Bus) -> None:
    bus.hear(told(OPEN, queues=[queue("mail", 100, 90), queue("irc")]))
    bus.view.announce()
    status = bus.status
    assert (status["queues"]["mail"]["backlog"], status["queues"]["irc"]["backlog"], status["backlog"]) == (14, 6, 20)
    assert (status["heard"], status["nodes_present"]) == (1, 2)
    bus.pass_time(10.0)
    bus.view.announce()
    status = bus.status
    assert (status["nodes_vanished"], status["backlog"], status["nodes"]["alpha"]["state"]) == (1, 4, "vanished")
    assert not status["nodes"]["alpha"]["ready"]


def test_an_announcement_waits_for_nothing(bus: Bus) -> None:
    waiting: Deferred[None] = Deferred()
    bus.answer = lambda: waiting
    bus.view.announce()
    bus.view.announce()
    bus.view.announce()
    assert len(bus.sent) == 1
    waiting.callback(None)
    bus.answer = lambda: None
    bus.view.announce()
    assert OPEN.open(bus.sent[-1]).number == 4
    assert (bus.status["announced"], bus.status["not_announced"]) == (2, 2)


def test_a_hub_that_hears_nothing_announces_itself_and_judges_nobody(bus: Bus) -> None:
    bus.hear(told(OPEN))
    bus.deaf = "this hub holds its buses back"
    bus.now = 100.0
    bus.view.check()
    bus.view.announce()
    assert [OPEN.open(body).number for body in bus.sent] == [1]
    status = bus.status
    assert (status["state"], status["deaf_because"], status["announced"]) == ("deaf", bus.deaf, 1)
    node = status["nodes"]["alpha"]
    assert (node["state"], node["silent"], node["ready"]) == ("unheard", 100.0, False)
    assert (status["nodes_present"], status["nodes_unheard"], status["nodes_vanished"]) == (1, 1, 0)
    assert [line for line in bus.log.lines() if "alpha" in line] == ["node alpha has joined"]


def test_of_a_bus_that_is_away_nothing_is_made_up_for_and_its_backend_tells(bus: Bus) -> None:
    bus.deaf, bus.answer = "no connection", lambda: fail(Unavailable("away"))
    bus.view.announce()
    assert (bus.status["not_announced"], bus.status["last_error"]) == (1, "Unavailable: away")
    assert not any("can't announce" in line for line in bus.log.lines())
    bus.deaf = None
    bus.view.announce()
    assert any("can't announce" in line for line in bus.log.lines())


def test_a_bus_that_takes_none_is_told_once(bus: Bus) -> None:
    bus.answer = lambda: fail(Unavailable("away"))
    bus.view.announce()
    bus.view.announce()
    assert bus.status["last_error"] == "Unavailable: away"
    assert len([line for line in bus.log.lines() if "can't announce" in line]) == 1
    bus.answer = lambda: None
    bus.view.announce()
    assert bus.status["last_error"] is None


def test_it_says_that_it_leaves(bus: Bus) -> None:
    bus.view.leave(stops=True)
    last = OPEN.open(bus.sent[-1])
    assert (last.leaving, last.reload, last.follows) == (True, False, None)


def test_it_says_that_its_settings_have_changed(tmp_path: Path) -> None:
    bus = Bus(tmp_path, follows=A)
    bus.view.start()
    bus.view.announce()
    assert OPEN.open(bus.sent[-1]).follows == A
    bus.view.leave(stops=False)
    assert OPEN.open(bus.sent[-1]).reload


def test_two_keys_are_taken_and_the_first_one_signs(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY + "\n")
    (tmp_path / "second").write_text("another key of enough characters")
    bus = Bus(tmp_path, key=f"file:{tmp_path / 'key'}", second_key=f"file:{tmp_path / 'second'}")
    bus.view.start()
    first, second = Seal("hubbub.cluster", KEY.encode()), Seal("hubbub.cluster", b"another key of enough characters")
    bus.hear(told(first))
    bus.hear(told(second, node="beta", start="b" * 32))
    assert (set(bus.status["nodes"]), bus.status["refused"]) == ({"alpha", "beta"}, {})
    bus.view.announce()
    assert first.open(bus.sent[-1]).node == "own"


def test_a_second_key_needs_a_first_one_and_enough_characters(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="second_key needs key"):
        Bus(tmp_path, second_key=f"file:{tmp_path / 'second'}")
    (tmp_path / "key").write_text(KEY)
    (tmp_path / "second").write_text("short")
    with pytest.raises(ConfigError, match="second_key: the secret must have at least 16"):
        Bus(tmp_path, key=f"file:{tmp_path / 'key'}", second_key=f"file:{tmp_path / 'second'}").view.start()


@pytest.mark.parametrize("name", ["x" * 81, "a  b", "a\nb", " a", "a\x1b[0m"])
def test_a_name_that_can_not_be_shown_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValidationError, match="node"):
        Bus(tmp_path, node=name)


def test_what_can_not_be_trusted_is_counted_and_told_once_a_while(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY + "\n")
    bus = Bus(tmp_path, key=f"file:{tmp_path / 'key'}")
    bus.view.start()
    signed = Seal("hubbub.cluster", KEY.encode())
    bus.hear(told(signed, node="beta", start=A))
    for _ in range(3):
        bus.hear(told(Seal("hubbub.cluster", b"another key, another key")))
    bus.hear(told(OPEN))
    bus.hear(told(signed), backend="other")
    bus.hear(told(signed, number=1))
    assert bus.status["refused"] == {"forged": 3, "unsigned": 1, "elsewhere": 1, "replayed": 1}
    assert list(bus.status["nodes"]) == ["beta"]
    assert len([line for line in bus.log.lines() if "(forged)" in line]) == 1
    bus.now = 61.0
    bus.view.check()
    assert any("2 further announcements refused (forged)" in line for line in bus.log.lines())
    assert bus.status["signed"]
    assert not any("not signed: whoever" in line for line in bus.log.lines())


def test_nothing_is_heard_before_the_key_is_known(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY + "\n")
    bus = Bus(tmp_path, key=f"file:{tmp_path / 'key'}")
    bus.hear(told(OPEN))
    bus.view.start()
    assert (bus.status["nodes"], bus.status["heard"], bus.status["refused"]) == ({}, 0, {})
    bus.hear(told(Seal("hubbub.cluster", KEY.encode())))
    assert list(bus.status["nodes"]) == ["alpha"]


def test_a_key_that_is_too_short_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("short")
    with pytest.raises(ConfigError, match="at least 16 characters"):
        Bus(tmp_path, key=f"file:{tmp_path / 'key'}").view.start()


def test_without_a_key_it_says_what_that_means(bus: Bus) -> None:
    assert any("announcements are not signed: whoever can publish to backend bus" in line for line in bus.log.lines())


def test_a_crowded_catalogue_has_all_numbers(bus: Bus) -> None:
    bus.hear(told(OPEN, queues=[queue("mail")]))
    bus.view.announce()
    readings = {(m.section, m.key, name) for m, name, _ in metrics({"clusters": {"main": bus.status}})}
    assert ("clusters", "nodes_vanished", "main") in readings
    assert ("nodes", "state", "main/alpha") in readings
    assert ("queues", "backlog", "main/mail") in readings


def test_hubs_of_one_machine_have_names_of_their_own() -> None:
    assert default_node("box", Path("/var/lib/hubbub")) == "box"
    assert default_node("box", Path("/srv/a/state")) == "box:/srv/a/state"
    one, other = (default_node("box", Path("/srv" + "/x" * 60) / name) for name in ("one", "other"))
    assert (len(one), len(other), one == other, other[:5], other[-6:]) == (80, 80, False, "box:…", "/other")
    assert len(default_node("h" * 253, Path("/srv/state"))) == 80


def test_what_a_hub_says_of_itself() -> None:
    status: dict[str, Any] = {
        "hub": {"not_ready": ["consumer mail is failing to start: KeyError: 'secret'"]},
        "consumers": {
            "jobs": row(received=5, backlog=5, rate_in=-1e-9),
            "one": row(received=20, backlog=5, dropped=4, dropped_by={"newest": 1, "drained": 1, "oldest": 2}),
            "client": row(summed_in="clients"),
            "odd": row(received=3, backlog=5),
        },
    }
    jobs, one, odd = queues_of(status, {"jobs"})
    assert (jobs.shared, jobs.rate_in, one.shared) == (True, 0.0, False)
    assert (one.settled, one.dropped, one.dropped_on_arrival) == (15, 4, 2)
    assert odd.backlog == 3
    assert reasons_of(status) == ["consumer mail is failing to start"]
