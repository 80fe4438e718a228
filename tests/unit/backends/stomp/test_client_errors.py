"""ERROR frames, as RabbitMQ 3.10 and ActiveMQ 5.17 send them."""

from __future__ import annotations

import pytest

from hub.backends.stomp.client_errors import MOST_TEXT, error_text, is_passing
from hub.backends.stomp.frame import Frame

JAVA = b"org.apache.activemq.ProtocolException: The maximum header length was exceeded\n\tat org.apache.X(X.java:1)"


@pytest.mark.parametrize(
    ("summary", "body", "text"),
    [
        ("not_found", b"NOT_FOUND - no exchange 'x'\n", "not_found: NOT_FOUND - no exchange 'x'"),
        ("Processing error", b"Processing error", "Processing error"),
        ("The maximum header length was exceeded", JAVA, JAVA.splitlines()[0].decode()),
        ("only this", b"", "only this"),
        ("", b"only that", "only that"),
        ("", b"", "the broker gave no reason"),
        ("\x1b[31m", b"\xff", "\\x1b[31m: \N{REPLACEMENT CHARACTER}"),
    ],
)
def test_the_text_is_one_safe_line(summary: str, body: bytes, text: str) -> None:
    assert error_text(Frame("ERROR", {"message": summary}, body)) == text


def test_the_text_is_bounded() -> None:
    assert len(error_text(Frame("ERROR", {"message": "x" * 1000}))) == MOST_TEXT


@pytest.mark.parametrize(
    "text",
    [
        "access_refused: ACCESS_REFUSED - access to exchange 'amq.topic' in vhost '/' refused for user 'x'",
        "not_found: NOT_FOUND - no exchange 'nope' in vhost '/'",
        "connection_forced: broker forced connection closure with reason 'shutdown'",
        "resource_error: disk alarm",
        "User x is not authorized to write to: topic://a",
        "'hub' may not send to /topic/a",
        "the hub takes no messages now, because a queue or the disk is full",
    ],
)
def test_what_an_operator_or_time_can_mend_is_tried_again(text: str) -> None:
    assert is_passing(text)


@pytest.mark.parametrize(
    "text",
    [
        "Invalid destination: '/a/b' is not a valid topic destination",
        "precondition_failed: PRECONDITION_FAILED - invalid expiration 'xx': no_integer",
        "Processing error",
        "Invalid header: 'message-id' is not allowed on 'SEND'.",
        "The maximum header length was exceeded",
        "destination '/topic/a b' has a space or a character that can't be printed",
        "Invalid destination: '/disk/full' is not a valid destination",
    ],
)
def test_what_is_the_messages_own_fault_is_not(text: str) -> None:
    assert not is_passing(text)
