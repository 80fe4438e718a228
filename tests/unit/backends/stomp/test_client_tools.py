"""The command line's sender and listener, on a broker of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from twisted.internet import ssl

from hub.backends.stomp.client import StompClient
from hub.backends.stomp.client_settings import Config
from hub.backends.stomp.client_tools import WINDOW, destination_of, listen
from hub.errors import CannotPublish, ConfigError, Unavailable
from hub.interfaces import BusTools
from hub.message import Message
from tests.certificates import Authority
from tests.support import free_port
from tests.unit.backends.stomp.broker import Broker
from tests.unit.backends.stomp.clients import running, settings
from tests.unit.backends.support import turn_until

Result = TypeVar("Result")
TOOLS: type[BusTools] = StompClient


def aside(call: Callable[[], Result]) -> Result:
    """Call something that blocks, while this thread turns the reactor."""
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(call())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    turn_until(lambda: results or errors, "the end of the call")
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def test_the_hub_receives_what_is_sent() -> None:
    with Broker() as broker, running(broker.port, destinations=["/topic/#", "/queue/work"]) as (_, intake):

        def send() -> bool:
            sender = StompClient.sender(settings(broker.port, destinations=["/topic/#", "/queue/work"]))
            answer = sender.wait(1)
            sender.publish(Message("own", "a.b", b"1", {"foo": 3}))
            sender.forward("work", b"2")
            sender.close()
            return answer

        assert aside(send) is True
        turn_until(lambda: len(intake.messages) == 2, "both messages")
        first, second = intake.messages
        assert (first.id, first.topic, first.body, first.headers["foo"]) == ("own", "a.b", b"1", "3")
        assert (second.topic, second.body) == ("work", b"2")


def test_in_fedmsgs_format_a_message_is_wrapped_and_a_recorded_one_is_not() -> None:
    given: dict[str, Any] = {"destinations": ["/queue/work"], "format": "fedmsg"}
    with Broker() as broker, running(broker.port, **given) as (_, intake):

        def send() -> None:
            sender = StompClient.sender(settings(broker.port, **given))
            sender.publish(Message("own", "a.b", b"1", {"foo": 3}))
            with pytest.raises(CannotPublish, match="takes JSON only"):
                sender.publish(Message("own", "a.b", b"no"))
            sender.forward("c.d", b'{"topic": "c.d"}')
            sender.close()

        aside(send)
        turn_until(lambda: len(intake.messages) == 2, "both messages")
        first, second = intake.messages
        assert (first.topic, first.json()["msg"], first.headers["foo"]) == ("a.b", 1, "3")
        assert first.id == first.json()["msg_id"]
        assert (second.topic, second.body) == ("c.d", b'{"topic": "c.d"}')


def test_many_are_sent_before_the_first_is_confirmed_and_all_are_at_the_end() -> None:
    with Broker() as broker:
        held: list[Any] = []
        broker.answers["SEND"] = lambda client, frame: held.append((client, frame))
        config = settings(broker.port)
        sender = aside(lambda: StompClient.sender(config))

        def forward_all() -> None:
            for number in range(WINDOW - 1):
                sender.forward("a.b", b"%d" % number)

        aside(forward_all)
        turn_until(lambda: len(held) == WINDOW - 1, "the messages")
        closed = threading.Thread(target=sender.close)
        closed.start()
        for client, frame in held:
            assert closed.is_alive()
            client.receipt(frame)
        turn_until(lambda: not closed.is_alive(), "the end")


def test_a_broker_that_does_not_confirm_is_told() -> None:
    with Broker() as broker:
        broker.answers["SEND"] = lambda client, frame: None
        sender = aside(lambda: StompClient.sender(settings(broker.port, connect_timeout=0.2)))
        aside(lambda: sender.forward("a.b", b"1"))
        with pytest.raises(Unavailable, match="does not confirm"):
            aside(sender.close)


def test_a_broker_that_refuses_is_told() -> None:
    with Broker() as broker:
        broker.answers["SEND"] = lambda client, frame: client.error("access_refused")
        sender = aside(lambda: StompClient.sender(settings(broker.port)))
        aside(lambda: sender.forward("a.b", b"1"))
        with pytest.raises(Unavailable, match="answered with an error: access_refused"):
            aside(sender.close)


@pytest.mark.parametrize(
    ("destinations", "topic", "destination"),
    [
        (["/queue/x", "/topic/a.#"], "a.b", "/topic/a.b"),
        (["/queue/x", "/topic/a.>"], "a.b.c", "/topic/a.b.c"),
        (["/queue/x", "/topic/a.*"], "x", "/queue/x"),
        (["/topic/a.b"], "a.b", "/topic/a.b"),
        (["/exchange/amq.topic/#"], "a", "/exchange/amq.topic/a"),
    ],
)
def test_the_destination_is_one_that_the_hub_reads(destinations: list[str], topic: str, destination: str) -> None:
    assert destination_of(topic, settings(1, destinations=destinations)) == destination


def test_a_topic_that_the_hub_does_not_get_is_told() -> None:
    config = settings(1, destinations=["/queue/x", "/topic/a.#"])
    with pytest.raises(CannotPublish, match=r"no destination .* brings messages for b.c: it has /queue/x, /topic/a.#"):
        destination_of("b.c", config)
    for given in ({"topic_header": "topic"}, {"format": "fedmsg"}):
        assert destination_of("b.c", settings(1, destinations=["/topic/a.#", "/queue/x"], **given)) == "/queue/x"
        with pytest.raises(CannotPublish, match="no destination"):
            destination_of("b.c", settings(1, destinations=["/topic/a.#"], **given))


def test_without_destinations_there_is_nowhere_to_send() -> None:
    with pytest.raises(Unavailable, match="has no destinations"):
        TOOLS.sender(settings(1, destinations=[], publish="/topic/{topic}"))


def test_it_listens_to_topics_and_leaves_queues_to_the_hub() -> None:
    with Broker() as broker:
        config = settings(broker.port, destinations=["/topic/#", "/queue/work"], max_message_size=1024)
        messages = aside(lambda: StompClient.listener(config, ["#"]))
        turn_until(lambda: broker.of("SUBSCRIBE"), "the subscription")
        assert [frame.headers["destination"] for frame in broker.of("SUBSCRIBE")] == ["/topic/#"]
        broker.send("/topic/a", b"x" * 1025)
        broker.send("/topic/a", b"1")
        found = aside(lambda: next(messages))
        assert (found.topic, found.body) == ("a", b"1")


def test_it_listens_again_when_the_broker_has_come_back() -> None:
    pauses: list[float] = []
    broker = Broker()
    with broker:
        config = settings(broker.port, destinations=["/topic/#"])
        messages: Iterator[Message] = aside(lambda: listen(config, pauses.append))
    found: list[Message] = []
    thread = threading.Thread(daemon=True, target=lambda: found.append(next(messages)))
    thread.start()
    turn_until(lambda: len(pauses) > 2, "some attempts")
    with broker:
        turn_until(lambda: len(broker.of("SUBSCRIBE")) == 2, "another subscription")
        broker.send("/topic/a", b"1")
        turn_until(lambda: found, "the message")
        thread.join()


def test_with_queues_alone_it_would_take_the_hubs_messages() -> None:
    with pytest.raises(Unavailable, match="goes to one reader, the hub"):
        TOOLS.listener(settings(1), ["#"])


def test_no_broker_is_told_with_all_reasons() -> None:
    ports = free_port(), free_port()
    with pytest.raises(Unavailable) as caught:
        StompClient.sender(settings(*ports))
    for port in ports:
        assert f"stomp://127.0.0.1:{port}: [Errno 111] Connection refused" in str(caught.value)


def test_a_login_that_is_refused_is_told() -> None:
    with Broker() as broker:
        broker.answers["CONNECT"] = lambda client, frame: client.error("Bad CONNECT")
        with pytest.raises(Unavailable, match="Bad CONNECT"):
            aside(lambda: StompClient.sender(settings(broker.port)))


def test_by_tls_with_a_certificate_of_its_own(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    server, mine = authority.sign("broker", "127.0.0.1"), authority.sign("hub")
    options = ssl.PrivateCertificate.loadPEM(server.file.read_bytes() + server.key.read_bytes()).options(
        ssl.Certificate.loadPEM(authority.file.read_bytes())
    )
    own = {"tls_certificate_file": str(mine.file), "tls_key": f"file:{mine.key}"}
    with Broker(tls=options) as broker:
        connect = [f"stomp+ssl://127.0.0.1:{broker.port}"]
        given: dict[str, Any] = {"connect": connect, "destinations": ["/queue/a.b"], "tls_ca_file": str(authority.file)}

        def send(config: Config) -> None:
            sender = StompClient.sender(config)
            sender.forward("a.b", b"1")
            sender.close()

        aside(lambda: send(Config(**{**given, **own})))
        assert [frame.body for frame in broker.of("SEND")] == [b"1"]
        with pytest.raises(Unavailable):
            aside(lambda: send(Config(**given)))
        with pytest.raises(ConfigError, match="can't be used"):
            aside(lambda: send(Config(**{**given, "tls_ca_file": str(mine.key)})))
