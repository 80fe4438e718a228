"""Two hubs get another key, and another name, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import free_port, wait_until
from tests.system.hubs import RunningHub
from tests.system.test_cluster_buses import states, view

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]
TEXT = """
[hub]
state_dir = "state"
[backends.bus]
type = "zeromq"
publish_bind = ["tcp://127.0.0.1:{mine}"]
connect = ["tcp://127.0.0.1:{other}"]
[consumers.log]
type = "log"
[clusters.main]
backend = "bus"
node = "{node}"
"""


class Pair:
    """Two hubs, each with the address of the other."""

    def __init__(self, directory: Path, keys: str) -> None:
        self.ports = [free_port(), free_port()]
        self.hubs: list[RunningHub] = []
        for index, name in enumerate(("alpha", "beta")):
            (directory / name).mkdir()
            self.hubs.append(RunningHub(directory / name, self.text(index, name, keys)))

    def text(self, index: int, node: str, keys: str) -> str:
        return TEXT.format(mine=self.ports[index], other=self.ports[1 - index], node=node) + keys

    def reload(self, index: int, node: str, keys: str) -> None:
        self.hubs[index].file.write_text(self.text(index, node, keys))
        self.hubs[index].command("reload")

    def see(self, *names: str) -> None:
        """Wait until each sees both."""
        there = dict.fromkeys(names, "present")
        for hub in self.hubs:
            wait_until(lambda hub=hub: states(hub) == there, 30, f"nodes {names}")  # type: ignore[misc]


@contextmanager
def running(directory: Path, keys: str) -> Iterator[Pair]:
    pair = Pair(directory, keys)
    with pair.hubs[0], pair.hubs[1]:
        pair.see("alpha", "beta")
        yield pair


@pytest.fixture
def keys(tmp_path: Path) -> list[str]:
    """Settings of the steps from one key to another."""
    old, new = tmp_path / "old.key", tmp_path / "new.key"
    for path in (old, new):
        path.write_text(f"{path.name}: a key for the tests of the cluster\n")
        path.chmod(0o600)
    key, second = 'key = "file:{}"\n', 'second_key = "file:{}"\n'
    between = [key.format(old) + second.format(new), key.format(new) + second.format(old)]
    return [key.format(old), *between, key.format(new)]


def test_the_key_is_changed_without_a_gap(tmp_path: Path, keys: list[str]) -> None:
    with running(tmp_path, keys[0]) as pair:
        for step in keys[1:]:
            for index, name in enumerate(("alpha", "beta")):
                pair.reload(index, name, step)
                pair.see("alpha", "beta")
        assert all(view(hub)["refused"] == {} for hub in pair.hubs)
        assert not any("stops in order" in hub.log or "vanished" in hub.log for hub in pair.hubs)


def test_a_key_that_is_changed_at_once_is_refused_and_no_stop(tmp_path: Path, keys: list[str]) -> None:
    with running(tmp_path, keys[0]) as pair:
        alpha = pair.hubs[0]
        pair.reload(1, "beta", keys[-1])
        wait_until(lambda: states(alpha)["beta"] == "left", 30, "the other to have left")
        alpha.logs("node beta has left: its hub has read other settings")
        wait_until(lambda: view(alpha)["refused"].get("forged"), 30, "the new key to be refused")


def test_a_new_name_is_told_with_the_old_one(tmp_path: Path, keys: list[str]) -> None:
    with running(tmp_path, keys[0]) as pair:
        pair.reload(1, "omega", keys[0])
        pair.see("alpha", "omega")
        pair.hubs[0].logs("node beta is called omega now")
