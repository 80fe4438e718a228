"""The subcommands that look at queues and steer them, against a hub that answers what it is told."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.cli import remote
from hub.control import client
from hub.errors import OrderRefused
from tests.unit.cli.top.hub_double import HubDouble, letter, row, status, worker
from tests.unit.command import Run, runner


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> HubDouble:
    double = HubDouble(slow=row(), gone=row(state="orphan", backlog=3, workers=None, type=None))
    monkeypatch.setattr(client, "Client", lambda path: double)
    monkeypatch.setattr(remote, "POLL_EVERY", 0.0)
    return double


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], hub: HubDouble) -> Run:
    (tmp_path / "hub.conf").write_text("")
    monkeypatch.chdir(tmp_path)
    return runner(monkeypatch, capsys)


@pytest.mark.parametrize(
    "arguments",
    [
        *(("queue", verb, "nobody") for verb in ("show", "pause", "resume", "drain", "peek", "purge", "delete")),
        ("threads", "nobody"),
        ("threads", "nobody", "--count", "2"),
    ],
)
def test_a_name_that_there_is_not_is_refused(run: Run, hub: HubDouble, arguments: tuple[str, ...]) -> None:
    code, _, err = run(*arguments)
    assert (code, hub.orders) == (69, [])
    assert re.fullmatch(r"hubbub: no (queue|consumer) is called 'nobody': there are slow, gone\n", err)


def test_a_queue_is_shown_with_all_that_is_known(run: Run, hub: HubDouble) -> None:
    error = {"time": 0.0, "error": "ValueError", "text": "a\x1b", "topic": "t", "message_id": "1", "attempt": 1}
    hub.consumers["slow"] = row(last_error=error, dropped=2, dropped_by={"drained": 2, "oldest": 0})
    code, out, _ = run("queue", "show", "slow")
    assert code == 0
    lines = dict(line.split(": ", 1) for line in out.splitlines())
    assert lines["backlog"].strip() == "545, of which 1 in flight and 0 wait for a retry"
    assert lines["dropped"].strip() == "2 (drained 2)"
    assert lines["consume time"].strip() == "p50 100ms, p95 200ms, p99 250ms"
    assert "ValueError: a\\x1b (t, 1, attempt 1)" in lines["last error"]
    assert json.loads(run("queue", "show", "slow", "--json")[1])["queue"] == "slow"
    assert run("queue", "show", "gone")[0] == 0


def test_all_queues_are_listed(run: Run) -> None:
    _, out, _ = run("queue", "list")
    assert [line.split()[:3] for line in out.splitlines()] == [["slow", "running", "545"], ["gone", "orphan", "3"]]
    _, out, _ = run("queue", "list", "--json")
    assert [json.loads(line)["backlog"] for line in out.splitlines()] == [545, 3]


def test_a_queue_is_paused_for_a_while_until_a_time_or_for_good(run: Run, hub: HubDouble) -> None:
    hub.consumers["slow"] = row(state="paused", paused_until=4_000_000_000.0)
    code, out, _ = run("queue", "pause", "slow", "--until", "2096-10-02")
    assert (code, out.startswith("slow is paused until 2096-10-02 "), "545 messages wait" in out) == (0, True, True)
    run("queue", "pause", "slow", "--for", "1h")
    assert json.loads(run("queue", "pause", "slow", "--json")[1]) == {
        "queue": "slow",
        "state": "paused",
        "backlog": 545,
        "paused": True,
        "paused_until": 4e9,
        "draining": False,
    }
    whole, hour, ever = (order[1] for order in hub.orders)
    assert whole["until"] > 3.9e9
    assert 1.6e9 < hour["until"] < whole["until"]
    assert ever == {"consumer": "slow"}


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--for", "1h", "--until", "14:30"], "not both"),
        (["--until", "yesterday"], "expected a duration such as 1h, a time such as 14:30"),
        (["--until", "2001-01-01"], "'2001-01-01' is past"),
    ],
)
def test_a_pause_that_makes_no_sense_is_wrong_use(run: Run, hub: HubDouble, options: list[str], why: str) -> None:
    code, _, err = run("queue", "pause", "slow", *options)
    assert (code, hub.orders, why in err) == (64, [], True)


def test_a_queue_goes_on(run: Run, hub: HubDouble) -> None:
    assert run("queue", "resume", "slow")[:2] == (0, "slow is running, 545 messages wait\n")
    assert hub.orders == [("/resume", {"consumer": "slow"})]


def states(*rows: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    """The status, another each time, the last one forever."""
    left = list(rows)
    return lambda: status(slow=left.pop(0) if len(left) > 1 else left[0])


def test_a_drain_is_waited_for(run: Run, hub: HubDouble) -> None:
    drained = row(state="drained", backlog=0)
    hub.answers["/status"] = states(row(state="draining"), row(state="draining", backlog=5), drained)
    assert run("queue", "drain", "slow", "--wait")[:2] == (0, "slow is drained, 0 messages wait\n")
    assert hub.orders == [("/drain", {"consumer": "slow"})]
    hub.answers["/status"] = states(row(state="draining"), row())
    code, _, err = run("queue", "drain", "slow", "--wait")
    assert (code, "slow no longer drains: it is running, with 545 messages left" in err) == (69, True)


def test_the_whole_hub_is_drained_and_paused_queues_are_named(run: Run, hub: HubDouble) -> None:
    def hubs(draining: bool, *rows: dict[str, Any]) -> Callable[[], dict[str, Any]]:
        following = states(*rows)

        def answer() -> dict[str, Any]:
            found = following()
            found["hub"]["draining"] = draining
            return found

        return answer

    hub.answers["/drain-hub"] = {"draining": True, "backlog": 545}
    hub.answers["/status"] = hubs(True, row(state="paused"), row(backlog=2), row(backlog=0))
    code, out, err = run("drain", "--wait")
    assert (code, out) == (0, "the buses are held back, 0 messages left\n")
    assert "hubbub: paused, and not empty: slow" in err
    hub.answers["/status"] = hubs(False, row())
    assert run("drain", "--wait")[0] == 69
    assert json.loads(run("resume", "--json")[1]) == {"draining": False, "backlog": 545}
    assert [path for path, _ in hub.orders] == ["/drain-hub", "/drain-hub", "/resume-hub"]


def test_messages_are_peeked_at(run: Run, hub: HubDouble) -> None:
    message = {
        "position": 7,
        "state": "waiting",
        "id": "2026-1",
        "topic": "a\x1b[2J",
        "headers": {},
        "body": "{}\n",
        "received_at": 0.0,
        "attempts": 2,
    }
    hub.answers["/peek/slow?count=3"] = {"messages": [message]}
    code, out, _ = run("queue", "peek", "slow", "-n", "3")
    assert code == 0
    assert out.endswith("waiting, attempts 2  a\\x1b[2J  2026-1  {}\\n\n")
    assert json.loads(run("queue", "peek", "slow", "-n", "3", "--json")[1]) == message
    assert run("queue", "peek", "slow", "-n", "0")[0] == 64


def test_threads_are_shown_with_their_stacks_and_set(run: Run, hub: HubDouble) -> None:
    hub.consumers["slow"] = row(workers=[worker(topic="t\x1b"), worker("slow-2", "idle", None)])
    hub.answers["/threads/slow"] = {"threads": [{**worker(), "stack": "File\n  line\x1b"}]}
    code, out, _ = run("threads")
    first, second = out.splitlines()
    assert (code, first.split()) == (0, ["slow", "slow-1", "busy", "3.5s", "t\\x1b", "2026-1"])
    assert second.split() == ["slow", "slow-2", "idle"]
    assert run("threads", "slow", "--stack")[1].splitlines()[1:] == ["    File", "      line\\x1b"]
    assert json.loads(run("threads", "slow", "--stack", "--json")[1])["stack"] == "File\n  line\x1b"
    assert run("threads", "--stack")[0] == 0
    assert run("threads", "slow", "--count", "4")[0] == 0
    assert hub.orders == [("/threads", {"consumer": "slow", "count": 4})]
    assert run("threads", "--count", "4")[0] == 64


def test_what_is_dropped_is_asked_for_and_a_refusal_is_said(
    run: Run, hub: HubDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert run("queue", "purge", "slow")[0] == 130
    assert hub.orders == []
    hub.answers["/purge-queue"] = {"purged": 544}
    assert run("queue", "purge", "slow", "--yes")[:2] == (0, "544 dropped\n")
    hub.answers["/delete-queue"] = OrderRefused("'slow' is the queue of a consumer")
    code, _, err = run("queue", "delete", "slow", "--yes")
    assert (code, "is the queue of a consumer" in err) == (69, True)
    hub.answers["/delete-queue"] = {"deleted": True}
    assert run("queue", "delete", "gone", "--yes")[:2] == (0, "gone is deleted\n")


def test_dead_letters_are_retried_with_a_canary(run: Run, hub: HubDouble) -> None:
    letters = [letter(number) for number in (3, 1, 2)]
    hub.answers["/dead/slow"] = {"dead_letters": letters}
    hub.answers["/retry-dead"] = {"start": 5, "stop": 8, "count": 3}
    assert run("dead", "retry", "slow", "--canary", "1")[:2] == (0, "3 are tried again\n")
    hub.answers["/retry-dead"] = {"start": 5, "stop": 6, "count": 1, "problem": "the rest was\x1b left"}
    code, _, err = run("dead", "retry", "slow", "--canary", "1", "--timeout", "0s")
    assert (code, err) == (69, "hubbub: the rest was\\x1b left\n")
    order = {"consumer": "slow", "numbers": [1, 2, 3], "canary": 1}
    assert hub.orders == [("/retry-dead", {**order, "timeout": seconds}) for seconds in (60.0, 0.0)]


def test_dead_letters_are_listed_of_one_consumer_or_of_all(run: Run, hub: HubDouble) -> None:
    hub.consumers["gone"]["dead_letters"] = 1
    hub.consumers["slow"]["dead_letters"] = 2
    hub.answers["/dead/slow"] = {"dead_letters": [letter(1), letter(2, topic="b")]}
    hub.answers["/dead/gone"] = {"dead_letters": [letter(7)]}
    assert [line.split()[0] for line in run("dead", "list")[1].splitlines()] == ["slow:", "1", "2", "gone:", "7"]
    assert [line.split()[0] for line in run("dead", "list", "gone")[1].splitlines()] == ["7"]
    assert [line.split()[0] for line in run("dead", "list", "--topic", "^b")[1].splitlines()] == ["slow:", "2"]
    found = [json.loads(line) for line in run("dead", "list", "--json")[1].splitlines()]
    assert [(one["consumer"], one["number"]) for one in found] == [("slow", 1), ("slow", 2), ("gone", 7)]
    assert run("dead", "list", "--group")[1].splitlines()[0] == "slow:"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("dead", "list"), "no dead letters"),
        (("dead", "list", "slow"), "no dead letters"),
        (("dead", "list", "slow", "--group", "--error", "x"), "no dead letters that match"),
        (("queue", "peek", "slow"), "no messages"),
        (("queue", "list"), "no queues"),
        (("threads",), "no threads"),
    ],
)
def test_an_empty_list_says_so_and_has_no_line(run: Run, hub: HubDouble, arguments: tuple[str, ...], text: str) -> None:
    hub.answers["/dead/slow"] = {"dead_letters": []}
    hub.answers["/peek/slow?count=10"] = {"messages": []}
    if arguments in (("queue", "list"), ("threads",)):
        hub.consumers.clear()
    assert run(*arguments) == (0, "", f"{text}\n")
    assert run(*arguments, "--json") == (0, "", "")


def test_one_is_not_many(run: Run, hub: HubDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.consumers["slow"] = row(backlog=1)
    assert run("queue", "resume", "slow")[1] == "slow is running, 1 message waits\n"
    hub.consumers.pop("gone")
    assert run("resume")[1] == "the hub receives, 1 message waits\n"
    hub.answers["/dead/slow"] = {"dead_letters": [letter(1)]}
    hub.answers["/retry-dead"] = {"start": 5, "stop": 6, "count": 1}
    assert run("dead", "retry", "slow")[1] == "1 is tried again\n"
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert "Delete 1 dead letter of slow?" in run("dead", "delete", "slow")[2]


UNKNOWN = {"messages": [], "keep": 0.0, "complete": True, "reached": None}


def test_a_trace_of_an_unknown_id_ends_as_a_search_without_a_find(run: Run, hub: HubDouble) -> None:
    hub.answers["/trace/x?most=100&within=30.0&since=0.0"] = UNKNOWN
    code, out, _ = run("trace", "x")
    assert (code, out.startswith("not in the store")) == (1, True)
    assert run("trace", "x", "--json")[0] == 1
    message = {"received_at": 0.0, "backend": "bus", "topic": "a", "copy": False, "queues": [], "cut": False}
    hub.answers["/trace/x?most=100&within=30.0&since=0.0"] = {**UNKNOWN, "messages": [message]}
    assert run("trace", "x")[0] == 0
    copied = {**message, "topic": "/queue/jobs", "copy": True}
    hub.answers["/trace/x?most=100&within=30.0&since=0.0"] = {**UNKNOWN, "messages": [copied]}
    assert "topic /queue/jobs, for one queue alone: sent to it, replayed or retried" in run("trace", "x")[1]


@pytest.mark.parametrize("options", [(), ("--canary", "1"), ("--json",)])
def test_a_full_queue_is_no_success(run: Run, hub: HubDouble, options: tuple[str, ...]) -> None:
    hub.answers["/dead/slow"] = {"dead_letters": [letter(1), letter(2)]}
    problem = "the queue of slow took 0 of 2 dead letters: it is full, so 2 stayed"
    hub.answers["/retry-dead"] = {"start": 5, "stop": 5, "count": 0, "not_taken": 2, "problem": problem}
    code, out, err = run("dead", "retry", "slow", *options)
    assert (code, len(hub.orders)) == (69, 1)
    assert "tried again" not in out
    assert "retried" not in out
    assert err.startswith("hubbub: the queue of slow took 0 of ")
