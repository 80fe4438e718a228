"""The exit status is the verdict, on the bench: the hub's own queue, retries and dead letters, with real processes."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from hub.consumers.trigger import Trigger
from hub.errors import ConfigError, HubError
from hub.testing.bench import Bench, Benches


def bench_of(hubbub: Benches, line: str, **settings: object) -> Bench[Trigger]:
    return hubbub(Trigger, command=["/bin/sh", "-c", line], **settings)


def test_a_command_sees_the_message_and_ends_it_with_0(hubbub: Benches, tmp_path: Path) -> None:
    bench = bench_of(hubbub, 'cat > got; echo "$HUBBUB_CONSUMER $HUBBUB_TOPIC $HUBBUB_ID $HUBBUB_HEADER_N" >> got')
    bench.deliver("a.b", b"body\n", {"n": 3}, id="the-id")
    bench.run()
    assert (tmp_path / "got").read_text() == "body\ntrigger a.b the-id 3\n"
    assert (len(bench.finished), bench.backlog) == (1, 0)
    assert bench.consumer.status() == {"running": 0, "done": 1}


def test_nothing_of_a_message_is_read_by_a_shell_or_taken_for_an_option(hubbub: Benches, tmp_path: Path) -> None:
    bench = hubbub(Trigger, command=["/bin/sh", "-c", 'printf "%s|" "$@" "$HUBBUB_TOPIC" > got', "sh", "$HUBBUB_TOPIC"])
    bench.deliver("--help; touch $(echo evil)", b"x")
    bench.run()
    assert (tmp_path / "got").read_text() == "$HUBBUB_TOPIC|--help; touch $(echo evil)|"
    assert not (tmp_path / "evil").exists()


def test_another_status_is_a_dead_letter_with_the_last_lines(hubbub: Benches) -> None:
    bench = bench_of(hubbub, "echo 'no such \033[31mthing' >&2; echo out; exit 2")
    bench.deliver("a.b", b"x")
    bench.run()
    (letter,) = bench.dead_letters
    assert letter.reason == "the command refuses it with exit status 2: no such \\x1b[31mthing"
    assert letter.attempts == 1
    assert bench.consumer.status()["refused"] == 1


def test_75_asks_for_another_attempt_which_is_no_failure(hubbub: Benches) -> None:
    bench = bench_of(hubbub, "[ -e there ] || { echo away >&2; exit 75; }", max_attempts=1)
    bench.deliver("a.b", b"x")
    for _ in range(3):
        bench.run()
        (waiting,) = bench.retries
        assert waiting.why == "Retry: the command asks for another attempt (exit status 75): away"
        bench.advance(waiting.due_in)
    (bench.consumer.context.state_dir / "there").touch()
    bench.run_to_the_end()
    assert (len(bench.finished), bench.dead_letters) == (1, [])
    assert bench.consumer.status() == {"running": 0, "put_off": 3, "done": 1}


@pytest.mark.parametrize(
    ("line", "error", "text", "count"),
    [
        ("echo oh >&2; kill -SEGV $$", "CommandKilled", "the command was ended by SIGSEGV: oh", "killed"),
        ("kill -40 $$", "CommandKilled", "the command was ended by signal 40", "killed"),
        (
            "trap 'exit 0' TERM; while :; do :; done",
            "CommandTimedOut",
            "the command was ended after 0.2 s",
            "timed_out",
        ),
    ],
)
def test_a_signal_or_a_timeout_is_a_failure_as_the_policy_has_it(
    hubbub: Benches, line: str, error: str, text: str, count: str
) -> None:
    bench = bench_of(hubbub, line, longest="200ms", max_attempts=2)
    bench.deliver("a.b", b"x")
    bench.run()
    assert [waiting.why for waiting in bench.retries] == [f"{error}: {text}"]
    bench.run_to_the_end()
    (letter,) = bench.dead_letters
    assert letter.reason == f"failed 2 times, last with {error}"
    assert text in (letter.traceback or "")
    assert bench.consumer.status()[count] == 2


def test_a_message_in_hand_when_the_consumer_ends_is_given_back_uncounted(hubbub: Benches) -> None:
    bench = bench_of(hubbub, "exec sleep 1000", stop_after="0s", max_attempts=1)
    bench.deliver("a.b", b"x")
    bench.consumer.context.stopping.set()
    bench.run()
    assert (bench.backlog, bench.dead_letters) == (1, [])
    assert bench.consumer.status() == {"running": 0, "interrupted": 1}


def test_one_that_waits_for_its_turn_is_given_back_too(hubbub: Benches, tmp_path: Path) -> None:
    bench = bench_of(hubbub, "echo >> ran", rate="1/m")
    for _ in range(2):
        bench.deliver("a.b", b"x")
    bench.consumer.context.stopping.set()
    bench.run()
    assert (len(bench.finished), bench.backlog) == (1, 1)
    assert (tmp_path / "ran").read_text() == "\n"


def test_a_command_that_can_not_be_run_costs_no_message(hubbub: Benches, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    bench = hubbub(Trigger, command=[str(program)], max_attempts=1)
    bench.deliver("a.b", b"x")
    bench.start()
    program.unlink()
    bench.run()
    assert bench.retries[0].why == f"Retry: the command can't be run: {program}: No such file or directory"
    program.write_text("no program")
    program.chmod(0o755)
    bench.advance(1000)
    bench.run()
    assert bench.retries[0].why == f"Retry: the command can't be run: {program}: Exec format error"
    program.write_text("#!/bin/sh\n")
    bench.run_to_the_end()
    assert (len(bench.finished), bench.consumer.status()) == (1, {"running": 0, "not_begun": 2, "done": 1})


def test_one_that_went_before_the_start_is_told_by_start(hubbub: Benches, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    bench = hubbub(Trigger, command=[str(program)])
    program.unlink()
    with pytest.raises(HubError, match="there is no program"):
        bench.start()


def test_a_directory_that_is_missing_is_named(hubbub: Benches, tmp_path: Path) -> None:
    bench = bench_of(hubbub, "pwd > here", directory=str(tmp_path / "work"))
    bench.deliver("a.b", b"x")
    bench.run()
    assert f"{tmp_path}/work: No such file or directory" in bench.retries[0].why
    (tmp_path / "work").mkdir()
    bench.run_to_the_end()
    assert (tmp_path / "work" / "here").read_text().strip() == str(tmp_path / "work")


def test_a_topic_that_no_variable_can_hold_is_a_dead_letter(hubbub: Benches) -> None:
    bench = bench_of(hubbub, "exit 0")
    bench.deliver("a." + "x" * 20_000, b"x")
    bench.run()
    assert [letter.reason for letter in bench.dead_letters] == [
        "the topic has 20002 bytes: a variable of the command has at most 16384"
    ]


def test_output_is_logged_where_that_is_wished(hubbub: Benches, caplog: pytest.LogCaptureFixture) -> None:
    for wished in (False, True):
        bench = bench_of(hubbub, "echo hello; echo there >&2", log_output=wished)
        bench.deliver("a.b", b"x")
        with caplog.at_level(logging.INFO):
            bench.run()
    found = [record.getMessage() for record in caplog.records if getattr(record, "action", "") == "command"]
    assert found == ["stdout: hello", "stderr: there"]


def test_check_refuses_a_command_that_is_not_there(hubbub: Benches) -> None:
    with pytest.raises(ConfigError, match="there is no program /nonexistent: No such file"):
        hubbub(Trigger, command=["/nonexistent"])
