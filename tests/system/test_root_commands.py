"""What root's commands do in a directory, or with files, of the hub's user's or another's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.store.tables import Tables
from tests.support import free_port, require, require_root
from tests.system.distribution import Distribution

pytestmark = [pytest.mark.system, pytest.mark.timeout(400)]
HUB_USER = 54321
"""A user without a name, as systemd's dynamic ones."""
CONFIG = """\
[backends.bus]
type = "memory"
[consumers.archive]
type = "archive"
[servers.web]
type = "web"
listen = "127.0.0.1:{port}"
"""
EVIL = """
import os
open({ran!r}, "a").write(f"code of {{os.stat(__file__).st_uid}} runs as {{os.getuid()}}\\n")
from hub import Consumer
class X(Consumer):
    def consume(self, message):
        pass
"""


@pytest.fixture(scope="module")
def libraries(distribution: Distribution) -> Iterator[Path]:
    """The program where the hub's user can read it: this checkout may be in root's own home."""
    require_root("gives files away")
    directory = Path(tempfile.mkdtemp(prefix="hubbub-program-"))
    directory.chmod(0o755)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--target", str(directory), str(distribution.wheel)], check=True, capture_output=True)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def home(tmp_path: Path, libraries: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Root's configuration beside a state directory of the hub's user's, and files that are root's own."""
    monkeypatch.setenv("PYTHONPATH", str(libraries))
    state = tmp_path / "state"
    state.mkdir()
    Tables(state).close()
    token = state / "web.token"
    token.write_text("A" * 43 + "\n")
    token.chmod(0o600)
    for path in (state, *state.iterdir()):
        os.chown(path, HUB_USER, HUB_USER)
    (tmp_path / "roots").mkdir(0o700)
    (tmp_path / "roots" / "precious").write_text("precious")
    (tmp_path / "hub.conf").write_text(CONFIG.format(port=free_port()))
    # pytest's directories are root's alone
    for directory in (tmp_path, *tmp_path.parents[:2]):
        directory.chmod(0o755)
    return tmp_path


def python() -> str:
    """An interpreter that the hub's user can read, too; this one may be in root's own home."""
    places = (*Path(os.__file__).resolve().parents, *Path(sys.executable).parents)
    readable = all(path.stat().st_mode & 0o001 for path in places)
    found = sys.executable if readable else f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    require(os.path.exists(found), f"{found}: this Python's files can be read by root alone")
    return found


def hubbub(directory: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    # -S: without what the distribution has installed for its own Python.
    command = [python(), "-S", "-c", "from hub.cli import main; main()", *words]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environment}
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=60, env=environment)


def link(home: Path, name: str, target: str) -> None:
    path = home / "state" / name
    path.unlink(missing_ok=True)
    path.symlink_to(home / "roots" / target)
    os.chown(path, HUB_USER, HUB_USER, follow_symlinks=False)


def owners(home: Path) -> set[int]:
    return {path.lstat().st_uid for path in (home / "state").rglob("*")}


def test_a_new_token_and_its_line_in_the_audit_are_the_hubs_users(home: Path) -> None:
    done = hubbub(home, "web", "--new-token")
    assert done.returncode == 0, done.stderr
    assert (home / "state" / "web.token").read_text() != "A" * 43 + "\n"
    assert '"who":"root, pid ' in (home / "state" / "audit.log").read_text()
    assert owners(home) == {HUB_USER}


def test_a_new_token_is_written_through_no_link(home: Path) -> None:
    link(home, "audit.log", "made")
    hubbub(home, "web", "--new-token")
    assert [path.name for path in (home / "roots").iterdir()] == ["precious"]


@pytest.mark.parametrize("name", ["lock", "log.mdb", "log.mdb-lock"])
def test_fsck_follows_no_link(home: Path, name: str) -> None:
    link(home, name, "precious")
    done = hubbub(home, "fsck", "--repair")
    assert done.returncode not in (0, 1), done.stdout
    assert (home / "roots" / "precious").read_text() == "precious"


def test_fsck_works_as_the_hubs_user(home: Path) -> None:
    done = hubbub(home, "fsck", "--repair")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{home / 'state' / 'log.mdb'}: clean" in done.stdout
    assert owners(home) == {HUB_USER}


def test_also_where_the_hubs_user_cant_walk_to_its_directory(home: Path) -> None:
    """systemd keeps the directories of dynamic users below one that is root's alone."""
    private = home / "private"
    private.mkdir(0o700)
    shutil.move(home / "state", private / "state")
    (home / "state").symlink_to("private/state")
    assert f"{home / 'state' / 'log.mdb'}: clean" in hubbub(home, "fsck").stdout
    assert hubbub(home, "web", "--new-token").returncode == 0
    assert "new-token" in (private / "state" / "audit.log").read_text()
    assert {path.stat().st_uid for path in (private / "state").iterdir()} == {HUB_USER}


def test_a_search_of_the_archive_makes_no_file_through_a_link(home: Path) -> None:
    (home / "state" / "archive.db").touch()
    os.chown(home / "state" / "archive.db", HUB_USER, HUB_USER)
    link(home, "archive.db-wal", "made")
    done = hubbub(home, "archive", "search")
    assert done.returncode == 69
    assert "symbolic link" in done.stderr
    assert not (home / "roots" / "made").exists()


@pytest.mark.parametrize(
    "words",
    [("check",), ("config", "--show"), ("web",), ("archive", "search"), ("fsck",), ("publish", "a.b"), ("run",)],
)
def test_code_that_another_user_left_in_the_directory_is_not_run(home: Path, words: tuple[str, ...]) -> None:
    strangers, ran = home / "strangers", home / "ran"
    strangers.mkdir()
    (strangers / "hub.conf").write_text('[backends.bus]\ntype = "memory"\n[consumers.x]\ntype = "x.py:X"\n')
    (strangers / "x.py").write_text(EVIL.format(ran=str(ran)))
    for path in (*strangers.iterdir(), strangers):
        os.chown(path, HUB_USER, HUB_USER)
    refused = hubbub(strangers, *words)
    assert refused.returncode == 78
    assert "belongs to uid 54321, who is not trusted by root" in refused.stderr
    assert not ran.exists()
    named = hubbub(strangers, "check", "-c", "hub.conf", HUBBUB_TRUST=str(HUB_USER))
    assert named.returncode == 0, named.stderr
    assert ran.exists()


def test_a_hub_does_not_run_in_another_users_directory(home: Path) -> None:
    refused = hubbub(home, "run")
    assert refused.returncode == 78
    assert "hub.state_dir: " in refused.stderr
    assert "run this as uid 54321" in refused.stderr


def test_nor_with_a_token_that_another_user_planted(home: Path) -> None:
    os.chown(home / "state", 0, 0)
    for path in (home / "state").iterdir():
        os.chown(path, 0, 0)
    os.chown(home / "state" / "web.token", HUB_USER, HUB_USER)
    refused = hubbub(home, "run")
    assert refused.returncode == 69
    assert "web.token belongs to uid 54321" in refused.stderr
