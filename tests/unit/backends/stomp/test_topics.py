"""Topics, which STOMP clients, other buses and consumers share; durable subscriptions; temporary queues."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.message import Message
from tests.unit.backends.stomp.bench import Bench, Line, send


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def subscribe(bench: Bench, destination: str, line: Line | None = None, id_: str = "s", /, **headers: str) -> Line:
    line = line or bench.line()
    line.do("SUBSCRIBE", id=id_, destination=destination, **headers)
    return line


def test_all_subscribers_get_what_is_sent_after_they_came(bench: Bench) -> None:
    publisher = bench.line()
    publisher.write(*send("/topic/a", "before"))
    lines = [subscribe(bench, "/topic/a") for _ in range(3)]
    publisher.write(*send("/topic/a", "x", "y"), *send("/topic/b", "z"))
    assert [line.bodies() for line in lines] == [["x", "y"]] * 3


def test_messages_of_other_buses_come_too_and_ours_go_to_all(bench: Bench) -> None:
    line = subscribe(bench, "/topic/org.#")
    shown: list[Message] = []
    bench.hall.enqueuer.subscriptions.add(["org.#"], shown.extend)
    bench.hall.receive("org.example", "1")
    line.write(*send("/topic/org.stomp", "x", kind="new"))
    found = line.messages()
    assert [one.headers["destination"] for one in found] == ["/topic/org.example", "/topic/org.stomp"]
    assert [(one.topic, one.backend) for one in shown] == [("org.example", "bus"), ("org.stomp", "stomp")]
    assert shown[1].headers == {"kind": "new"}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("a.*", ["a.b"]),
        ("a.#", ["a", "a.b", "a.b.c"]),
        ("a.>", ["a", "a.b", "a.b.c"]),
        ("*", ["a"]),
        ("*.b", ["a.b"]),
        (">", ["a", "a.b", "a.b.c"]),
        ("#", ["a", "a.b", "a.b.c"]),
    ],
)
def test_wildcards(bench: Bench, pattern: str, expected: list[str]) -> None:
    line = subscribe(bench, f"/topic/{pattern}")
    for topic in ("a", "a.b", "a.b.c"):
        line.write(*send(f"/topic/{topic}", "x"))
    assert [one.headers["destination"].removeprefix("/topic/") for one in line.messages()] == expected


def test_a_selector_leaves_out_what_does_not_match(bench: Bench) -> None:
    line = subscribe(
        bench, "/topic/a", selector="kind = 'new' AND size = 5", ack="client-individual", prefetch_count="1"
    )
    line.write(
        *send("/topic/a", 1, kind="old", size="5"), *send("/topic/a", 2, kind="new", size="5.0"), *send("/topic/a", 3)
    )
    (found,) = line.messages()
    assert found.body == b"2"
    line.do("ACK", id=found.headers["ack"])
    assert line.messages() == []
    assert bench.hall.declared.all()[f"stomp-{found.headers['message-id'].rpartition('-')[0]}"].backlog == 0


def test_one_that_has_expired_counts_so_whether_a_selector_wants_it_or_not(bench: Bench) -> None:
    line = subscribe(bench, "/topic/a", selector="kind = 'new'")
    bench.advance(1)
    line.write(*send("/topic/a", 1, kind="old", expires="1"), *send("/topic/a", 2, kind="new", expires="1"))
    line.write(*send("/topic/a", 3, kind="new"))
    assert line.bodies() == ["3"]
    assert bench.broker.lifetime.expired == 2


def test_an_unacked_message_of_a_topic_ends_with_its_subscription(bench: Bench) -> None:
    line = subscribe(bench, "/topic/a", ack="client-individual")
    line.write(*send("/topic/a", "x"))
    (found,) = line.messages()
    line.do("UNSUBSCRIBE", id="s")
    line.do("ACK", id=found.headers["ack"], receipt="r")
    assert line.receipts() == ["r"]
    assert bench.broker.counters.late_acks == 1
    assert [*bench.hall.declared.all()] == []


def test_what_waits_for_a_subscriber_is_bounded_and_the_oldest_is_dropped() -> None:
    bench = Bench(subscriber_backlog=3)
    line = subscribe(bench, "/topic/a", ack="client-individual", prefetch_count="1")
    line.write(*send("/topic/a", 0))
    assert len(line.messages()) == 1
    for number in range(1, 9):
        line.write(*send("/topic/a", number))
    (name,) = bench.hall.declared.all()
    row = bench.hall.row(name)
    assert (row["backlog"], row["dropped"], row["type"]) == (3, 6, "stomp subscription")


def test_the_readers_of_each_queue_are_counted_and_summed(bench: Bench) -> None:
    lines = [bench.line() for _ in range(3)]
    for line in lines:
        subscribe(bench, "/queue/q", line)
    subscribe(bench, "/topic/a", lines[0], "t")
    subscribe(bench, "/topic/b", lines[1], "t")
    bench.hall.queues.sample(bench.reactor.seconds())
    assert (bench.hall.row("q")["readers"], bench.hall.row("stomp subscriptions")["readers"]) == (3, 2)
    lines[0].hang_up()
    lines[1].do("UNSUBSCRIBE", id="s")
    assert bench.hall.row("q")["readers"] == 1
    lines[2].hang_up()
    assert bench.hall.row("q")["readers"] == 0


# -- durable subscriptions

DIALECTS = {
    "rabbitmq": {"durable": "true", "auto_delete": "false"},
    "activemq": {"activemq__subscriptionName": "news"},
    "artemis": {"durable_subscription_name": "news"},
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_durable_subscription_waits_for_its_client_and_ends_with_unsubscribe(bench: Bench, dialect: str) -> None:
    headers = DIALECTS[dialect]
    line = bench.line(client_id="reader")
    subscribe(bench, "/topic/a.*", line, **headers)
    publisher = bench.line()
    line.do("DISCONNECT")
    publisher.write(*send("/topic/a.b", "x", "y"))
    again = bench.line(client_id="reader")
    subscribe(bench, "/topic/a.*", again, **headers)
    assert [(one.body, one.headers["destination"]) for one in again.messages()] == [
        (b"x", "/topic/a.b"),
        (b"y", "/topic/a.b"),
    ]
    again.do("UNSUBSCRIBE", id="s", receipt="r")
    assert again.receipts() == ["r"]
    assert [*bench.hall.declared.all()] == []
    publisher.write(*send("/topic/a.b", "z"))
    assert bench.hall.enqueuer.counters.unrouted == 1


@pytest.mark.parametrize("dialect", ["activemq", "artemis"])
def test_one_that_nobody_uses_ends_by_its_name(bench: Bench, dialect: str) -> None:
    headers = DIALECTS[dialect]
    line = bench.line(client_id="reader")
    subscribe(bench, "/topic/a", line, **headers)
    line.hang_up()
    stranger = bench.line(client_id="other")
    stranger.do("UNSUBSCRIBE", id="s", **headers)
    assert "no subscription" in stranger.error()
    assert len(bench.hall.declared.all()) == 1
    again = bench.line(client_id="reader")
    again.do("UNSUBSCRIBE", id="s", receipt="r", **headers)
    assert again.receipts() == ["r"]
    assert len(bench.hall.declared.all()) == 0


def test_one_in_use_elsewhere_does_not_end_by_its_name(bench: Bench) -> None:
    headers = DIALECTS["activemq"]
    line, other = bench.line(client_id="reader"), bench.line(client_id="reader")
    subscribe(bench, "/topic/a", line, **headers)
    other.do("UNSUBSCRIBE", id="s", **headers)
    assert "in use" in other.error()
    line.write(*send("/topic/a", "x"))
    assert line.bodies() == ["x"]


def test_unsubscribe_of_one_leaves_it_to_others_that_share_it(bench: Bench) -> None:
    headers = DIALECTS["artemis"]
    lines = [subscribe(bench, "/topic/a", **headers) for _ in range(2)]
    lines[0].do("UNSUBSCRIBE", id="s")
    lines[0].write(*send("/topic/a", "x"))
    assert lines[1].bodies() == ["x"]


@pytest.mark.parametrize("selector", [{}, {"selector": "size = 2"}])
def test_those_who_share_one_have_one_selector(bench: Bench, selector: dict[str, str]) -> None:
    """What one of them left out would be gone, though the other wants it."""
    headers = DIALECTS["artemis"]
    first = subscribe(bench, "/topic/a", selector="size = 1", **headers)
    same = subscribe(bench, "/topic/a", selector="size = 1", **headers)
    other = bench.line()
    other.do("SUBSCRIBE", id="s", destination="/topic/a", **headers, **selector)
    assert "is in use with another selector: 'size = 1'" in other.error()
    bench.line().write(*send("/topic/a", "x", "y", size="1"))
    assert sorted(first.bodies() + same.bodies()) == ["x", "y"]
    first.hang_up()
    same.hang_up()
    assert subscribe(bench, "/topic/a", **headers, **selector).frames() == []


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("in_use", [True, False])
def test_another_destination_under_the_same_name_is_an_error_and_takes_nothing(
    bench: Bench, dialect: str, in_use: bool
) -> None:
    headers = DIALECTS[dialect]
    first = subscribe(bench, "/topic/a", bench.line(client_id="reader"), **headers)
    if not in_use:
        first.hang_up()
    other = bench.line(client_id="reader")
    other.do("SUBSCRIBE", id="s", destination="/topic/b", **headers)
    assert "has the destination /topic/a, not /topic/b" in other.error()
    bench.line().write(*send("/topic/a", "x"), *send("/topic/b", "y"))
    again = first if in_use else subscribe(bench, "/topic/a", bench.line(client_id="reader"), **headers)
    assert again.bodies() == ["x"]
    again.hang_up()
    line = bench.line(client_id="reader")
    line.do("UNSUBSCRIBE", id="s", **headers)
    bench.commit()
    assert subscribe(bench, "/topic/b", line, **headers).frames() == []


@pytest.mark.parametrize("dialect", DIALECTS)
def test_logins_that_nobody_checks_have_durable_subscriptions_of_their_own(bench: Bench, dialect: str) -> None:
    headers = DIALECTS[dialect]
    lines = [bench.line(login=login, passcode="x", client_id="c") for login in ("alice", "bob")]
    for line, topic in zip(lines, ("/topic/a", "/topic/b"), strict=True):
        subscribe(bench, topic, line, **headers)
    lines[0].write(*send("/topic/a", "x"), *send("/topic/b", "y"))
    assert [line.bodies() for line in lines] == [["x"], ["y"]]


def test_nobody_gets_at_it_as_a_queue(bench: Bench) -> None:
    subscribe(bench, "/topic/a", **DIALECTS["artemis"])
    (name,) = bench.hall.declared.all()
    for command in ("SEND", "SUBSCRIBE"):
        line = bench.line()
        line.do(command, id="1", destination=f"/queue/{name}")
        assert "reserved" in line.error()


def test_it_outlives_the_hub(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    line = subscribe(bench, "/topic/a", **DIALECTS["artemis"])
    bench.commit()
    line.write(*send("/topic/a", "x", persistent="true", receipt="r"))
    bench.commit()
    assert line.bodies() == ["x"] or line.receipts() == ["r"]


# -- temporary queues


def test_a_request_is_answered_to_its_client_alone(bench: Bench) -> None:
    worker = subscribe(bench, "/queue/work")
    client, stranger = bench.line(), subscribe(bench, "/temp-queue/answers")
    client.write(*send("/queue/work", "question", reply_to="/temp-queue/answers"))
    (request,) = worker.messages()
    assert request.headers["reply-to"].startswith("/reply-queue/")
    worker.write(*send(request.headers["reply-to"], "answer"))
    (answer,) = client.messages()
    assert (answer.body, answer.headers["subscription"]) == (b"answer", "/temp-queue/answers")
    assert stranger.messages() == []
    client.write(*send("/queue/work", "another", reply_to="/temp-queue/answers"))
    assert worker.messages()[0].headers["reply-to"] == request.headers["reply-to"]


def test_a_request_after_the_end_of_a_subscription_to_answers_makes_another_one(bench: Bench) -> None:
    worker, client = subscribe(bench, "/queue/work"), bench.line()
    for _ in range(2):
        client.write(*send("/queue/work", "question", reply_to="/temp-queue/answers"))
        worker.write(*send(worker.messages()[0].headers["reply-to"], "answer"))
        assert client.bodies() == ["answer"]
        client.do("UNSUBSCRIBE", id="/temp-queue/answers")


def test_a_client_may_subscribe_to_its_temporary_queue_itself_and_ack(bench: Bench) -> None:
    worker = subscribe(bench, "/queue/work")
    client = subscribe(bench, "/temp-queue/answers", None, "mine", ack="client-individual")
    client.write(*send("/queue/work", "question", reply_to="/temp-queue/answers"))
    worker.write(*send(worker.messages()[0].headers["reply-to"], "answer"))
    (answer,) = client.messages()
    assert answer.headers["subscription"] == "mine"
    client.do("ACK", id=answer.headers["ack"])
    client.write(*send("/temp-queue/answers", "to myself"))
    assert client.bodies() == ["to myself"]


def test_an_answer_to_nobody_gets_its_receipt_and_is_counted(bench: Bench) -> None:
    worker = subscribe(bench, "/queue/work")
    client = bench.line()
    client.write(*send("/queue/work", "question", reply_to="/temp-queue/answers"))
    (request,) = worker.messages()
    client.hang_up()
    worker.write(*send(request.headers["reply-to"], "answer", receipt="r", persistent="true"))
    assert worker.receipts() == ["r"]
    assert bench.broker.counters.lost_replies == 1
    assert [*bench.hall.declared.all()] == ["work"]


def test_temporary_queues_are_bounded() -> None:
    bench = Bench(max_temporary_queues=2)
    line = bench.line()
    for number in range(3):
        line.do("SUBSCRIBE", id=str(number), destination=f"/temp-queue/{number}")
    assert "2 temporary queues" in line.error()
