"""``hubbub top`` in a terminal, with a real hub: what it shows is so, and what its keys do happens."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.support import free_port, wait_until
from tests.system.hubs import HUBBUB, RunningHub
from tests.system.terminal import Terminal

pytestmark = pytest.mark.system

BEHIND = 545
FAULTY = """
from hub import Consumer, Message, Reject


class Faulty(Consumer):
    def consume(self, message: Message) -> None:
        raise Reject("no \\x1b[31mluck[/]")
"""


def configuration() -> str:
    return f"""
        [hub]
        stop_timeout = "100ms"
        [backends.bus]
        type = "zeromq"
        bind = ["tcp://127.0.0.1:{free_port()}"]
        [consumers.slow]
        type = "slow"
        delay = "1h"
        topics = ["org.example.a"]
        [consumers.faulty]
        type = "faulty.py:Faulty"
        topics = ["org.example.dead"]
    """


def feed(hub: RunningHub, topic: str, count: int) -> None:
    messages = hub.directory / "messages.jsonl"
    messages.write_text("".join(f'{{"topic": "{topic}", "msg": {number}}}\n' for number in range(count)))
    hub.command("feed", str(messages), "--quiet")


def running(directory: Path) -> RunningHub:
    (directory / "faulty.py").write_text(FAULTY)
    return RunningHub(directory, configuration())


def top(hub: RunningHub) -> Terminal:
    return Terminal([str(HUBBUB), "top", "-c", str(hub.file), "--interval", "0.2"], hub.directory)


def test_545_behind_shows_pause_works_and_the_thread_is_seen(tmp_path: Path) -> None:
    with running(tmp_path) as hub:
        feed(hub, "org.example.a", BEHIND)
        hub.wait_for("slow", "backlog", BEHIND)
        with top(hub) as terminal:
            terminal.shows(f"backlog {BEHIND}")
            wanted = ["slow", "running", str(BEHIND)]
            terminal.until(lambda: terminal.line("slow ").split()[:3] == wanted, "the row of the consumer")
            terminal.press("p")
            terminal.shows("Pause slow?")
            terminal.press("enter")
            wait_until(lambda: hub.consumer("slow")["state"] == "paused", 20, "the pause")
            terminal.until(lambda: "paused" in terminal.line("slow "), "the pause, shown")
            terminal.press("p")
            terminal.shows("slow is paused. Resume it?")
            terminal.press("y")
            terminal.until(lambda: "running" in terminal.line("slow "), "the end of the pause, shown")
            terminal.press("+")
            wait_until(lambda: hub.consumer("slow")["threads"] == 2, 20, "another thread")
            terminal.press("enter")
            terminal.shows("consumer:      slow, 2 threads")
            terminal.until(lambda: "busy" in terminal.line("org.example.a "), "what the thread handles")
            terminal.press("k")
            terminal.shows("slow.py")
            terminal.press("escape", "escape")
            terminal.shows("last minutes")
            terminal.press("q")
            assert terminal.ended() == 0


def test_a_terminal_of_80_by_24_shows_when_it_will_be_clear(tmp_path: Path) -> None:
    with running(tmp_path) as hub:
        feed(hub, "org.example.a", BEHIND)
        hub.wait_for("slow", "backlog", BEHIND)
        command = [str(HUBBUB), "top", "-c", str(hub.file), "--interval", "0.2"]
        with Terminal(command, hub.directory, columns=80, lines=24) as terminal:
            terminal.shows("caught up")
            terminal.until(lambda: str(BEHIND) in terminal.line("slow "), "the row of the consumer")
            terminal.press("q")
            assert terminal.ended() == 0
        with Terminal([str(HUBBUB), "status", "-c", str(hub.file)], hub.directory, columns=80, lines=24) as terminal:
            assert terminal.ended() == 0
            terminal.shows("caught up")
            assert "…" not in "".join(terminal.lines())


def test_a_dead_letter_is_shown_and_deleted(tmp_path: Path) -> None:
    with running(tmp_path) as hub:
        feed(hub, "org.example.dead", 3)
        hub.wait_for("faulty", "dead", 3)
        with top(hub) as terminal:
            terminal.shows("dead letters 3")
            terminal.press("s", "s", "s")
            terminal.until(lambda: "dead ▼" in terminal.line("last minutes"), "the order by dead letters")
            terminal.press("enter")
            terminal.shows("dead letters, by error")
            terminal.shows("no \\x1b[31mluck[/]")
            terminal.press("x")
            terminal.shows("Delete 3 dead letters of faulty?")
            terminal.press("y")
            wait_until(lambda: not hub.client.get("/dead/faulty")["dead_letters"], 20, "the end of the dead letters")
            terminal.until(lambda: not terminal.line("3      20"), "the table without them")
            terminal.press("q")
            assert terminal.ended() == 0


def test_it_outlives_the_hub_and_sees_it_again(tmp_path: Path) -> None:
    with running(tmp_path) as hub:
        feed(hub, "org.example.a", 5)
        hub.wait_for("slow", "backlog", 5)
        with top(hub) as terminal:
            terminal.shows("backlog 5")
            hub.process.kill()
            hub.process.wait()
            terminal.shows("no hub is running")
            assert terminal.line("slow ").split()[2] == "5"
            with hub:
                terminal.hides("no hub is running")
                terminal.shows("backlog 5")
            terminal.press("\x03")
            assert terminal.ended() == 0


def test_without_a_terminal_it_prints_a_table_or_lines_of_json(tmp_path: Path) -> None:
    with running(tmp_path) as hub:
        feed(hub, "org.example.a", BEHIND)
        hub.wait_for("slow", "backlog", BEHIND)
        table = hub.command("top").stdout
        assert f"backlog {BEHIND}" in table
        assert any(line.split()[:3] == ["slow", "running", str(BEHIND)] for line in table.splitlines())
        assert json.loads(hub.command("top", "--json", "--once").stdout)["consumers"]["slow"]["backlog"] == BEHIND
        command = [str(HUBBUB), "top", "--json", "--interval", "0.1", "-c", str(hub.file)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=tmp_path) as process:
            assert process.stdout is not None
            assert json.loads(process.stdout.readline())["consumers"]["slow"]["backlog"] == BEHIND
            hub.stop()
            problems = (json.loads(line).get("problems", [""])[0] for line in process.stdout)
            # The request that meets the hub as it stops is told that there was no answer; the next ones find nobody.
            assert next(text for text in problems if "nothing listens" in text)
            process.terminate()
        assert hub.command("top", check=False).returncode == 69
