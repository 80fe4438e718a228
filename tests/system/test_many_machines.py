"""The pipeline of the documents as processes on this machine: its files as they are, but for the addresses."""

from __future__ import annotations

import json
import re
import shutil
import textwrap
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.support import ROOT, free_port, wait_until
from tests.system.hubs import RunningHub
from tests.system.postgres import Postgres
from tests.system.rabbitmq import RabbitMQ
from tests.system.redis import RedisServer

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]
SAMPLES = ROOT / "docs" / "samples" / "machines"
PAGE = ROOT / "docs" / "many-machines.rst"
ROLES = ("matcher", "worker", "sender")
WORKERS = 3
Text = Callable[[str], str]


def tables_for_redis() -> dict[str, str]:
    """The tables that the page shows in the place of RabbitMQ's, by role."""
    blocks = re.findall(r"\.\. code-block:: toml\n\n((?:    .*\n|\n)+)", PAGE.read_text())
    found = [textwrap.dedent(block) for block in blocks if 'type = "redis"' in block]
    return dict(zip(ROLES, found, strict=True))


@contextmanager
def rabbitmq(directory: Path) -> Iterator[Text]:
    with RabbitMQ(directory) as broker:
        address = f"amqp://127.0.0.1:{broker.amqp_port}"
        yield lambda role: (SAMPLES / f"{role}.conf").read_text().replace("amqp://mq.example.org", address)


@contextmanager
def redis(directory: Path) -> Iterator[Text]:
    with RedisServer(directory) as server:

        def text(role: str) -> str:
            sections = re.split(r"(?m)^(?=\[)", (SAMPLES / f"{role}.conf").read_text())
            kept = [section for section in sections if not section.startswith("[backends.queue")]
            table = tables_for_redis()[role].replace("redis://redis.example.org", server.url)
            return "".join(kept) + table

        yield text


def hub(directory: Path, name: str, text: str) -> RunningHub:
    place = directory / name
    place.mkdir()
    shutil.copy(SAMPLES / "pipeline.py", place)
    if 'type = "redis"' in text and "streams" in text:
        text += f'consumer = "{name}"\n'
    return RunningHub(place, text)


@pytest.mark.parametrize("broker", [rabbitmq, redis])
def test_the_pipeline_of_the_page(tmp_path: Path, broker: Callable[[Path], AbstractContextManager[Text]]) -> None:
    (tmp_path / "broker").mkdir()
    with ExitStack() as stack:
        text = stack.enter_context(broker(tmp_path / "broker"))
        bus = f'bind = ["tcp://127.0.0.1:{free_port()}"]'
        work = text("worker").replace("threads = 4\n", 'threads = 4\nways = ["email"]\n')
        sender = stack.enter_context(hub(tmp_path, "sender", text("sender")))
        workers = [stack.enter_context(hub(tmp_path, f"worker{n}", work)) for n in range(WORKERS)]
        heard = text("matcher").replace('connect = ["tcp://bus.example.org:9940"]', bus)
        matcher = stack.enter_context(hub(tmp_path, "matcher", heard))
        count = 0

        def finished() -> list[int]:
            return [worker.consumer("worker")["finished"] for worker in workers]

        def more() -> bool:
            """Feed a hundred, until each worker has had some: the first ones may all go to who is ready first."""
            nonlocal count
            lines = [json.dumps({"topic": "org.example.a", "msg": {"number": count + n}}) for n in range(100)]
            (tmp_path / "feed.jsonl").write_text("\n".join(lines) + "\n")
            matcher.command("feed", str(tmp_path / "feed.jsonl"), "--quiet")
            count += 100
            wait_until(lambda: sum(finished()) >= count, 60, lambda: f"{count} messages to be worked, not {finished()}")
            return all(finished())

        wait_until(more, 120, "each worker to have worked")
        wait_until(lambda: sender.consumer("email")["finished"] >= count, 60, "all to be sent")
        rows = [
            matcher.consumer("matcher"),
            *(worker.consumer("worker") for worker in workers),
            sender.consumer("email"),
        ]
        assert [row["failed"] + row["dropped"] for row in rows] == [0] * len(rows)


def test_the_pipeline_over_postgresql(tmp_path: Path, postgres: Postgres) -> None:
    """The page's tables, and a second sender; each way is gone once for each message."""
    blocks = [
        textwrap.dedent(block)
        for block in re.findall(r"\.\. code-block:: toml\n\n((?:    .*\n|\n)+)", PAGE.read_text())
    ]
    jobs, worker, section = (
        next(block for block in blocks if start(block))
        for start in (
            lambda block: block.startswith("[jobs.main]"),
            lambda block: "pipeline_of_jobs.py:Worker" in block,
            lambda block: "pipeline_of_jobs.py:Sender" in block,
        )
    )
    place = 'database = "postgresql://hub@db.example.org/app"\npassword = "file:/etc/hubbub/secrets/db"\n'
    mine = f'database = "{postgres.create_database()}"\n'
    assert [place in text for text in (jobs, worker)] == [True, True]
    head, bus, _, consumer = re.split(r"(?m)^(?=\[)", (SAMPLES / "matcher.conf").read_text())[1:]
    bus = bus.replace('connect = ["tcp://bus.example.org:9940"]', f'bind = ["tcp://127.0.0.1:{free_port()}"]')
    texts = {
        "matcher": head + bus + jobs + consumer.replace("pipeline.py", "pipeline_of_jobs.py"),
        "worker": worker,
        "sender": head + jobs + section + section.replace("email", "irc"),
    }
    with ExitStack() as stack:
        hubs = {}
        for name, text in texts.items():
            (tmp_path / name).mkdir()
            shutil.copy(SAMPLES / "pipeline_of_jobs.py", tmp_path / name)
            hubs[name] = stack.enter_context(RunningHub(tmp_path / name, text.replace(place, mine)))
        lines = [json.dumps({"topic": "org.example.a", "msg": {"number": number}}) for number in range(50)]
        (tmp_path / "feed.jsonl").write_text("\n".join(lines) + "\n")
        hubs["matcher"].command("feed", str(tmp_path / "feed.jsonl"), "--quiet")

        def finished() -> list[int]:
            return [hubs["sender"].consumer(name)["finished"] for name in ("email", "irc")]

        wait_until(lambda: finished() == [50, 50], 60, lambda: f"all to be sent, not {finished()}")
        assert "by email: {'msg': {'number': 0}, 'topic': 'org.example.a'}" in hubs["sender"].log
