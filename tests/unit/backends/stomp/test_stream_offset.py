import pytest

from hub.backends.stomp.destination import Kind
from hub.backends.stomp.frame import ProtocolError
from hub.backends.stomp.stream_offset import parse
from hub.replays import ReplayStart

NOW = 1_790_000_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("first", ReplayStart("first")),
        ("last", ReplayStart("last")),
        ("next", ReplayStart("next")),
        ("timestamp=1700000000", ReplayStart("time", 1700000000)),
        ("offset=12000003", ReplayStart("offset", 12000003)),
        ("12000003", ReplayStart("offset", 12000003)),
        ("0", ReplayStart("offset", 0)),
    ],
)
def test_a_start_is_parsed(text: str, expected: ReplayStart) -> None:
    assert parse({"x-stream-offset": text}, Kind.TOPIC, False, NOW) == expected


@pytest.mark.parametrize(("ahead", "expected"), [(0, ReplayStart("time", NOW)), (60, ReplayStart("next"))])
def test_the_clock_of_a_client_may_be_a_little_ahead(ahead: int, expected: ReplayStart) -> None:
    assert parse({"x-stream-offset": f"timestamp={NOW + ahead}"}, Kind.TOPIC, False, NOW) == expected


def test_a_time_in_the_future_is_refused() -> None:
    with pytest.raises(
        ProtocolError, match=f"timestamp={NOW + 3600}, which is 3600 s in the future: expected .* 'next'"
    ):
        parse({"x-stream-offset": f"timestamp={NOW + 3600}"}, Kind.TOPIC, False, NOW)


def test_milliseconds_are_refused_and_seconds_are_named() -> None:
    with pytest.raises(ProtocolError, match="looks like milliseconds: expected seconds since 1970"):
        parse({"x-stream-offset": f"timestamp={NOW * 1000}"}, Kind.TOPIC, False, NOW)


@pytest.mark.parametrize(
    "text", ["", "First", "-1", "1.5", "timestamp=", "timestamp=now", "offset=", "at=5", "=5", "1" * 19, "\u0663"]
)
def test_what_is_no_start_is_refused_with_what_is_expected(text: str) -> None:
    with pytest.raises(
        ProtocolError, match="expected first, last, next, timestamp=SECONDS, or the number of a message"
    ):
        parse({"x-stream-offset": text}, Kind.TOPIC, False, NOW)


@pytest.mark.parametrize(
    ("kind", "durable", "why"),
    [
        (Kind.QUEUE, False, "only topics have a history"),
        (Kind.DEAD, False, "only topics"),
        (Kind.TOPIC, True, "durable"),
    ],
)
def test_what_has_a_place_of_its_own_has_none_in_the_log(kind: Kind, durable: bool, why: str) -> None:
    assert parse({"x-stream-offset": "next"}, kind, durable, NOW) is None
    assert parse({}, kind, durable, NOW) is None
    with pytest.raises(ProtocolError, match=why):
        parse({"x-stream-offset": "first"}, kind, durable, NOW)
    with pytest.raises(ProtocolError, match="expected"):
        parse({"x-stream-offset": "soon"}, kind, durable, NOW)


def test_without_the_header_a_subscription_is_live() -> None:
    assert parse({}, Kind.TOPIC, False, NOW) is None
