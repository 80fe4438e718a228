"""Which refusals an operator or time can mend."""

from __future__ import annotations

import pytest

from hub.backends.redis.line import ErrorReply
from hub.backends.redis.replies import MOST_TEXT, refusal_text, verdict_of, wants_another
from hub.errors import CannotPublish, PlaceUnavailable, Unavailable


@pytest.mark.parametrize(
    "text",
    [
        "OOM command not allowed when used memory > 'maxmemory'.",
        "READONLY You can't write against a read only replica.",
        "NOPERM User hub has no permissions to run the 'xadd' command",
        "LOADING Redis is loading the dataset in memory",
        "MASTERDOWN Link with MASTER is down",
        "WRONGTYPE Operation against a key holding the wrong kind of value",
        "MISCONF Errors writing to the AOF file: No space left on device",
        "NOREPLICAS Not enough good replicas to write.",
        "ERR something that nobody knows",
    ],
)
def test_the_message_is_kept(text: str) -> None:
    error = verdict_of(ErrorReply(text), "stream out")
    assert isinstance(error, Unavailable)
    alone = text.startswith(("NOPERM", "WRONGTYPE", "ERR"))
    assert isinstance(error, PlaceUnavailable) is ("stream out" in str(error)) is alone


@pytest.mark.parametrize("text", ["ERR string exceeds maximum allowed size (proto-max-bulk-len)", "ERR syntax error"])
def test_the_message_is_given_up(text: str) -> None:
    assert isinstance(verdict_of(ErrorReply(text), "stream out"), CannotPublish)


def test_another_server_is_wanted_where_this_one_is_no_master() -> None:
    assert wants_another(ErrorReply("READONLY You can't write against a read only replica."))
    assert not wants_another(ErrorReply("OOM command not allowed"))


def test_the_text_is_one_short_line() -> None:
    text = refusal_text(ErrorReply("ERR a\nb" + "x" * 1000))
    assert "\n" not in text
    assert len(text) <= MOST_TEXT + 20
    assert refusal_text(ErrorReply("")) == "the server gave no reason"
