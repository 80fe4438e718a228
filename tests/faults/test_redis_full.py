"""A Redis that can't write: snapshots that fail, memory that is full, a disk that is really full."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.faults.small_disk import fill, small_disk
from tests.support import wait_until
from tests.system.redis import RedisServer, serving
from tests.system.redis_hub import RedisHub, answers, publish

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    made = tmp_path / "server"
    made.mkdir()
    return made


@pytest.fixture
def server(directory: Path, request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    with serving(directory, request.param) as made:
        yield made


def all_answered(rig: RedisHub, server: RedisServer, count: int) -> None:
    """Each message was worked, and each time that it was has one answer."""
    found = rig.all_noted(count)
    rig.all_acknowledged()
    wait_until(lambda: answers(server) == sorted(found.elements()), 60, "the answers")
    print(f"worked again: {found.total() - count}; found again: {rig.row()['found_again']}")
    assert found.total() == count
    assert rig.row()["repeated"] == rig.row()["outbox_failed"] == 0


@pytest.mark.parametrize("server", ["appendonly no\nsave 3600 1\nenable-protected-configs yes\n"], indirect=True)
def test_snapshots_that_fail_hold_everything_back(server: RedisServer, tmp_path: Path) -> None:
    """Redis refuses to write, an acknowledgement too, once a snapshot has failed."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    rig = RedisHub(tmp_path / "hub", server, consumer="answers = true")
    with rig.hub as hub:
        rig.connected()
        publish(server, range(100))
        all_answered(rig, server, 100)
        server.client.config_set("dir", str(elsewhere))
        elsewhere.rmdir()
        snapshot(server, "err")
        rig.red("MISCONF")
        hub.logs("MISCONF")
        elsewhere.mkdir()
        server.client.config_set("dir", str(elsewhere))
        snapshot(server, "ok")
        rig.connected()
        publish(server, range(100, 200))
        all_answered(rig, server, 200)
        assert hub.stop() == 0


def snapshot(server: RedisServer, verdict: str) -> None:
    server.client.bgsave()

    def ended() -> bool:
        found = server.client.info("persistence")
        return not found["rdb_bgsave_in_progress"] and found["rdb_last_bgsave_status"] == verdict

    wait_until(ended, 30, f"a snapshot that ends {verdict}")


@pytest.mark.parametrize("server", ["maxmemory-policy noeviction\n"], indirect=True)
def test_memory_that_is_full_keeps_the_answers_in_the_hub(server: RedisServer, tmp_path: Path) -> None:
    rig = RedisHub(tmp_path / "hub", server, consumer="answers = true\ntakes = 0.01")
    publish(server, range(200))
    with rig.hub as hub:
        rig.connected()
        wait_until(lambda: len(rig.noted()) > 20, 30, "some work")
        server.client.config_set("maxmemory", 1)
        rig.red("OOM command not allowed")
        wait_until(lambda: len(rig.noted()) == 200, 60, "the work, which goes on")
        row = rig.row()
        assert row["outbox_state"] == "retrying"
        assert row["outbox_waiting"] > 0
        assert "OOM" in row["outbox_error"]
        server.client.config_set("maxmemory", 0)
        wait_until(lambda: rig.row()["not_ready"] is None, 60, "readiness")
        all_answered(rig, server, 200)
        assert hub.stop() == 0


@pytest.mark.parametrize("fsync", ["always", "everysec"])
def test_a_disk_that_is_full_loses_nothing(directory: Path, tmp_path: Path, fsync: str) -> None:
    """With ``always`` Redis ends, and is started again; with ``everysec`` it refuses to write."""
    with small_disk(directory / "disk", 8) as disk, serving(disk, f"appendfsync {fsync}\n") as server:
        rig = RedisHub(tmp_path / "hub", server, consumer="answers = true")
        with rig.hub as hub:
            rig.connected()
            publish(server, range(100))
            all_answered(rig, server, 100)
            fill(disk / "ballast")
            count = 100 + added_until_refused(server, 100)
            rig.red("")
            if fsync == "always":
                wait_until(lambda: not server.is_running, 30, "the server's end")
            else:
                rig.red("MISCONF")
            print(f"{fsync}: {count - 100} were confirmed; the hub says {rig.row()['not_ready']}")
            (disk / "ballast").unlink()
            if fsync == "always":
                server.__enter__()
            rig.connected()
            more = range(count, count + 100)
            wait_until(lambda: published(server, more), 30, "the server to write again")
            all_answered(rig, server, count + 100)
            assert hub.stop() == 0


def added_until_refused(server: RedisServer, first: int) -> int:
    """Add large entries, whose numbers begin with this one. :returns: how many were confirmed."""
    client, number = server.client, first
    try:
        while number < first + 10_000:
            client.execute_command("XADD", "work", "*", "body", number, "padding", "x" * 1000)
            number += 1
    except redis.exceptions.RedisError as error:
        print(f"refused: {error}")
    assert number < first + 10_000
    return number - first


def published(server: RedisServer, numbers: range) -> bool:
    """Publish all of them, in one transaction: one that is refused leaves none."""
    pipeline = server.client.pipeline(transaction=True)
    for number in numbers:
        pipeline.xadd("work", {"body": number})
    try:
        pipeline.execute()
    except redis.exceptions.RedisError:
        return False
    return True
