"""What the log consumer prints: one line, whatever the body; nothing in it commands the terminal."""

from __future__ import annotations

import io
import os
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import Message, Retry
from hub.consumers.log import Log, line, pretty
from tests.unit.doubles import context

BODY = b'{"msg_id": "2026-1", "username": "apache", "msg": {"agent": "ann", "text": "hello"}}'


def message(body: bytes, topic: str = "a.b") -> Message:
    return Message("the-id", topic, body, received_at=1_700_000_000.0)


def printed(capsys: pytest.CaptureFixture[str], body: bytes, **settings: object) -> str:
    Log(context("log", Log.Config.model_validate(settings))).consume(message(body))
    return capsys.readouterr().out


def test_a_line_has_time_topic_agent_and_payload(capsys: pytest.CaptureFixture[str]) -> None:
    when, *rest = printed(capsys, BODY).split(" ", 3)
    assert len(when) == len("12:00:00")
    assert rest == ["a.b", "ann", '{"agent":"ann","text":"hello"}\n']


def test_where_there_is_no_agent_the_id_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, b'{"a": 1}').endswith('a.b the-id {"a": 1}\n')


def test_a_long_line_is_cut_and_never_wrapped(capsys: pytest.CaptureFixture[str]) -> None:
    body = b"x" * 1000
    assert printed(capsys, body, length=300).endswith(" " + "x" * 300 + "\n")


def test_colours_are_as_set(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" in printed(capsys, BODY, color="always")
    assert "\x1b" not in printed(capsys, BODY, color="never")
    assert "\x1b" not in printed(capsys, BODY, color="auto"), "not a terminal"


def test_pretty_shows_the_whole_body_indented(capsys: pytest.CaptureFixture[str]) -> None:
    shown = printed(capsys, b'{"msg": {"long": "' + b"y" * 500 + b'"}}', pretty=True)
    assert '\n{\n  "msg": {\n    "long": "' + "y" * 500 + '"\n' in shown


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[1]",
        b"\xff\x00",
        b"[" * 900,
        b"[" * 990 + b"]" * 990,
        b"{",
        b"NaN",
        b'{"msg": "\\ud800"}',
        b'{"msg": {"a": NaN}}',
    ],
)
def test_no_body_makes_it_fail(capsys: pytest.CaptureFixture[str], body: bytes) -> None:
    assert "a.b the-id" in printed(capsys, body, pretty=True)


@given(st.text(), st.binary() | st.text().map(str.encode))
def test_nothing_from_the_bus_commands_the_terminal(topic: str, body: bytes) -> None:
    one = message(body, topic)
    assert line(one, 200).plain.isprintable()
    assert pretty(one).replace("\n", "").isprintable()


@pytest.mark.parametrize("pretty_too", [False, True])
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_what_the_output_can_not_encode_is_escaped(
    monkeypatch: pytest.MonkeyPatch, encoding: str, pretty_too: bool
) -> None:
    output = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(output, encoding=encoding, write_through=True))
    config = Log.Config.model_validate({"color": "never", "pretty": pretty_too})
    Log(context("log", config)).consume(message('{"msg": {"agent": "日本", "text": "zażółć"}}'.encode(), "a.日"))
    shown = output.getvalue().decode(encoding)
    assert shown.count("日本" if encoding == "utf-8" else "\\u65e5\\u672c") == 2 + pretty_too


def test_markup_is_shown_and_not_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    assert "[red]x[/red]" in printed(capsys, b'{"msg": "[red]x[/red]"}', color="always")


def test_where_nobody_reads_any_more_the_message_comes_again() -> None:
    out, into = os.pipe()
    os.close(out)
    with pytest.MonkeyPatch.context() as patch, os.fdopen(into, "w") as stdout:
        patch.setattr(sys, "stdout", stdout)
        consumer = Log(context("log", Log.Config()))
        for _ in range(2):
            with pytest.raises(Retry, match="nobody reads standard output any more"):
                consumer.consume(message(BODY))
        os.dup2(os.open(os.devnull, os.O_WRONLY), into)  # so that it can be closed
