"""Subscriptions to queues: who gets what, what acks settle, and what comes back."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.unit.backends.stomp.bench import Bench, ack, fill, send, subscribe

ALL_MODES = ("auto", "client", "client-individual")


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.mark.parametrize("mode", ALL_MODES)
def test_a_queue_keeps_messages_until_somebody_reads_them_in_order(bench: Bench, mode: str) -> None:
    fill(bench, 5)
    assert bench.backlog("q") == 5
    line = subscribe(bench, mode)
    assert line.bodies() == list("01234")
    assert bench.backlog("q") == (0 if mode == "auto" else 5)


def test_each_message_goes_to_exactly_one_and_evenly(bench: Bench) -> None:
    lines = [subscribe(bench), subscribe(bench, "client"), subscribe(bench, "auto")]
    fill(bench, 9)
    parts = [line.bodies() for line in lines]
    assert sorted(body for part in parts for body in part) == list("012345678")
    assert [len(part) for part in parts] == [3, 3, 3]


def test_cumulative_acks_are_for_their_own_subscription(bench: Bench) -> None:
    line = subscribe(bench, "client")
    line.do("SUBSCRIBE", id="other", destination="/queue/other", ack="client")
    fill(bench, 4)
    fill(bench, 4, "/queue/other")
    found = [one for one in line.messages() if one.headers["subscription"] == "s"]
    ack(line, found[2].headers["ack"])
    assert (bench.backlog("q"), bench.backlog("other")) == (1, 4)


def test_individual_acks_settle_one_each_in_any_order(bench: Bench) -> None:
    fill(bench, 4)
    line = subscribe(bench)
    ids = [one.headers["ack"] for one in line.messages()]
    ack(line, ids[2], ids[0])
    line.hang_up()
    assert [(one.body, one.headers["redelivered"]) for one in subscribe(bench).messages()] == [
        (b"1", "true"),
        (b"3", "true"),
    ]


@pytest.mark.parametrize(("version", "names"), [("1.0", ("message-id",)), ("1.1", ("message-id", "subscription"))])
def test_older_versions_name_a_message_in_their_own_way(bench: Bench, version: str, names: tuple[str, ...]) -> None:
    fill(bench, 2)
    line = subscribe(bench, version=version)
    for one in line.messages():
        assert "ack" not in one.headers
        line.do("ACK", **{name: one.headers[name] for name in names})
    assert bench.backlog("q") == 0


@pytest.mark.parametrize(
    ("version", "given", "missing"),
    [
        ("1.2", ("message-id", "subscription"), "no id header"),
        ("1.1", ("message-id",), "no subscription header"),
        ("1.1", ("subscription",), "no message-id header"),
        ("1.0", (), "no message-id header"),
    ],
)
def test_an_ack_in_the_way_of_another_version_is_told_what_is_missing(
    bench: Bench, version: str, given: tuple[str, ...], missing: str
) -> None:
    fill(bench, 1)
    line = subscribe(bench, version=version)
    (found,) = line.messages()
    line.do("ACK", **{name: found.headers[name] for name in given})
    assert missing in line.error()
    assert bench.backlog("q") == 1


def test_ids_have_no_characters_that_clients_escape_wrongly(bench: Bench) -> None:
    fill(bench, 3)
    for one in subscribe(bench).messages():
        assert not set(one.headers["ack"] + one.headers["message-id"]) & set(":\\ ")


@pytest.mark.parametrize(
    "id_",
    [
        "",
        "x",
        "1-2-3",
        "a-b-c",
        "-",
        "{key}-1-99",
        "{key}-7-1",
        "{key}-1-0",
        "{other}-1-1",
        "{key}-1-\N{SUPERSCRIPT TWO}",
    ],
)
def test_an_id_that_was_never_ours_is_an_error(bench: Bench, id_: str) -> None:
    fill(bench, 2)
    line = subscribe(bench)
    key = line.messages()[0].headers["ack"].removesuffix("-1-1")
    ack(line, id_.format(key=key, other=key[:-1] + "9"))
    assert "never delivered" in line.error()


def test_an_ack_twice_does_nothing_and_is_counted(bench: Bench) -> None:
    fill(bench, 2)
    line = subscribe(bench)
    first = line.messages()[0].headers["ack"]
    ack(line, first, first)
    ack(line, first)
    assert (bench.backlog("q"), line.over) == (1, False)
    assert (bench.broker.counters.acked, bench.broker.counters.late_acks) == (1, 2)


# -- credit


@pytest.mark.parametrize("name", ["prefetch_count", "activemq__prefetchSize"])
def test_a_client_has_no_more_in_hand_than_it_asked_for(bench: Bench, name: str) -> None:
    fill(bench, 5)
    line = subscribe(bench, **{name: "2"})
    found = line.messages()
    assert [one.body for one in found] == [b"0", b"1"]
    ack(line, found[0].headers["ack"])
    assert line.bodies() == ["2"]


def test_without_a_wish_the_default_bounds_it_and_no_wish_is_beyond_the_most() -> None:
    bench = Bench(prefetch=3, max_prefetch=4)
    fill(bench, 9)
    assert len(subscribe(bench).messages()) == 3
    bench = Bench(prefetch=3, max_prefetch=4)
    fill(bench, 9)
    assert len(subscribe(bench, prefetch_count="1000000").messages()) == 4


@pytest.mark.parametrize("text", ["0", "-1", "many", "", "1.5", "\N{SUPERSCRIPT TWO}"])
def test_a_prefetch_that_is_none_is_refused(bench: Bench, text: str) -> None:
    line = subscribe(bench, prefetch_count=text)
    assert "prefetch-count" in line.error()


def test_bytes_in_hand_are_bounded_but_one_message_always_goes() -> None:
    bench = Bench(prefetch_size=10)
    bench.line().write(*send("/queue/q", "x" * 6, "y" * 4, "z" * 5, "w" * 50))
    line = subscribe(bench)
    found = line.messages()
    assert [one.body[:1] for one in found] == [b"x", b"y"]
    ack(line, found[0].headers["ack"])
    (third,) = line.messages()
    ack(line, found[1].headers["ack"], third.headers["ack"])
    assert line.bodies() == ["w" * 50]
    assert bench.backlog("q") == 1


def test_what_one_has_no_room_for_goes_to_another() -> None:
    bench = Bench(prefetch_size=10)
    lines = [subscribe(bench), subscribe(bench)]
    bench.line().write(*send("/queue/q", *("x" * 9 for _ in range(4))))
    assert [len(line.messages()) for line in lines] == [1, 1]
    assert bench.backlog("q") == 4


@pytest.mark.parametrize("mode", ALL_MODES)
def test_a_client_that_does_not_read_gets_nothing_until_it_does(bench: Bench, mode: str) -> None:
    line = subscribe(bench, mode)
    line.session.blocked()
    line.do("SUBSCRIBE", id="later", destination="/queue/other", ack=mode)
    fill(bench, 2)
    fill(bench, 1, "/queue/other")
    assert line.messages() == []
    line.session.writable()
    assert len(line.messages()) == 3


@pytest.mark.parametrize("mode", ALL_MODES)
def test_a_client_that_becomes_slow_within_a_delivery_gets_no_more_of_it(bench: Bench, mode: str) -> None:
    """What it was not sent goes to others, unmarked."""
    bench.line().write(*send("/queue/q", *(f"{number}" * 100_000 for number in range(9))))
    line = subscribe(bench, mode)
    write = line.send_all

    def slow(frames: Sequence[bytes]) -> None:
        write(frames)
        line.session.blocked()

    line.send_all = slow  # type: ignore[method-assign]
    line.session.commands.subscriptions._client.send = slow  # type: ignore[union-attr]
    for active in line.session.commands.subscriptions._by_name.values():  # type: ignore[union-attr]
        active.subscription._send = slow
    assert [body[0] for body in line.bodies()] == ["0", "1"]
    found = subscribe(bench).messages()
    assert [(one.body[:1], "redelivered" in one.headers) for one in found] == [(b"%d" % n, False) for n in range(2, 9)]


# -- what is refused


@pytest.mark.parametrize(
    "headers",
    [
        {"ack": "sometimes"},
        {"selector": "a > 5"},
        {"x_stream_offset": "first"},
        {"exclusive": "true"},
        {"activemq__exclusive": "true"},
        {"x_max_length": "5"},
        {"activemq__priority": "5"},
    ],
)
def test_what_there_is_not_is_refused_and_not_ignored(bench: Bench, headers: dict[str, str]) -> None:
    line = bench.line()
    line.do("SUBSCRIBE", id="1", destination="/queue/q", **headers)
    assert next(iter(headers)).replace("__", ".").replace("_", "-").split(".")[-1].split("-")[-1] in line.error()


def test_the_same_words_that_say_no_are_fine(bench: Bench) -> None:
    line = bench.line()
    headers = {"exclusive": "false", "x_stream_offset": "next", "activemq__priority": "0", "no_local": "false"}
    line.do("SUBSCRIBE", id="1", destination="/topic/q", receipt="r", **headers)
    assert line.receipts() == ["r"]


def test_ids_are_of_one_subscription_each_and_their_number_is_bounded() -> None:
    bench = Bench(max_subscriptions=2)
    for ids in (("1", "1"), ("1", "2", "3")):
        line = bench.line()
        for id_ in ids:
            line.do("SUBSCRIBE", id=id_, destination="/topic/a")
        assert "already" in line.error()


def test_without_an_id_there_is_no_subscription_but_in_version_1_0(bench: Bench) -> None:
    line = bench.line()
    line.do("SUBSCRIBE", destination="/queue/q")
    assert "no id header" in line.error()
    old = bench.line(None)
    old.do("SUBSCRIBE", destination="/queue/q")
    fill(bench, 1)
    (found,) = old.messages()
    assert "subscription" not in found.headers
    old.do("UNSUBSCRIBE", destination="/queue/q", receipt="r")
    assert old.receipts() == ["r"]


def test_a_subscription_that_is_not_there_can_not_end(bench: Bench) -> None:
    line = bench.line()
    line.do("UNSUBSCRIBE", id="1")
    assert "no subscription '1'" in line.error()


def test_a_deleted_queue_closes_its_subscribers_and_nobody_else(bench: Bench) -> None:
    line, other = subscribe(bench), bench.line()
    fill(bench, 1)
    bench.hall.queues.delete("q")
    assert "/queue/q was deleted" in line.error()
    assert not other.over
    fill(bench, 1)
    assert bench.backlog("q") == 1


def test_a_queue_of_a_consumer_is_not_anybodys(bench: Bench) -> None:
    from tests.unit.doubles import consumer_part

    part = consumer_part("mine", topics=["#"])
    bench.hall.consumers.start(part, bench.hall.consumers.prepare(part))
    for command in ("SEND", "SUBSCRIBE"):
        line = bench.line()
        line.do(command, id="1", destination="/queue/mine")
        assert "consumer" in line.error()
    assert bench.hall.consumers.stop_crew("mine").gone.wait(10)
