"""``hubbub fsck``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import lmdb
import pytest
from click.testing import CliRunner, Result

from hub.cli.fsck import fsck
from hub.statelock import StateLock
from hub.store import tables as t
from hub.store.fsck import rows, survey
from hub.store.fsck.isolation import DiedError
from tests.unit.store.known import Known, edit, given

CONFIG = """\
[backends.bus]
type = "memory"
"""


@pytest.fixture
def known(tmp_path: Path) -> Known:
    (tmp_path / "hub.conf").write_text(CONFIG)
    (tmp_path / "state").mkdir()
    made = Known(tmp_path / "state")
    made.some()
    made.close()
    return made


def run(known: Known, *arguments: str) -> Result:
    return CliRunner().invoke(fsck, ["-c", str(known.directory.parent / "hub.conf"), *arguments])


def damage(known: Known, table: str = "pages") -> None:
    tables = edit(known.directory)
    with tables.writing() as transaction:
        cursor = transaction.cursor(getattr(tables, table))
        assert cursor.last()
        value = bytearray(cursor.value())
        value[-1] ^= 1
        transaction.put(bytes(cursor.key()), bytes(value), db=getattr(tables, table))
    tables.close()


def destroy(known: Known) -> None:
    content = known.file.read_bytes()
    known.file.write_bytes(bytes(8192) + content[8192:])


def test_a_clean_store(known: Known) -> None:
    found = run(known)
    assert found.exit_code == 0, found.output
    assert found.output.startswith(f"{known.file}: clean (")
    assert " 3 queues" in found.output
    found = run(known, "--json", "--repair")
    assert found.exit_code == 0
    document = json.loads(found.output)
    assert (document["clean"], document["problems"], document["checked"]["queues"]) == (True, [], 3)
    assert sorted(path.name for path in known.directory.iterdir()) == ["hands", "lock", "log.mdb", "log.mdb-lock"]


def test_problems_are_told_one_by_one_and_nothing_is_changed(known: Known) -> None:
    damage(known)
    before = known.file.read_bytes()
    found = run(known)
    assert found.exit_code == 1
    lines = found.output.splitlines()
    assert "is damaged: the checksum of" in lines[0]
    assert lines[-1].endswith("'hubbub fsck --repair' repairs what it can")
    document = json.loads(run(known, "--json").output)
    assert [problem["problem"] for problem in document["problems"]] == ["damaged"]
    assert "left" not in document
    assert known.file.read_bytes() == before


def test_a_repair_mends_and_says_what(known: Known) -> None:
    damage(known)
    found = run(known, "--repair", "--json")
    assert found.exit_code == 1
    document = json.loads(found.output)
    assert ([problem["problem"] for problem in document["problems"]], document["left"]) == (["damaged"], [])
    kept = sorted(path.name.partition("-")[0].partition(".")[0] for path in (known.directory / "damaged").iterdir())
    assert kept == ["log", "pages"]
    assert Path(document["rescued"]["old"]).parent == known.directory / "damaged"
    assert run(known).exit_code == 0


def test_a_damaged_structure_is_told_and_rescued(known: Known) -> None:
    destroy(known)
    found = run(known)
    assert (found.exit_code, "the structure of the file is damaged" in found.output) == (1, True)
    found = run(known, "--repair")
    assert found.exit_code == 1, found.output
    assert "a new file was written; the old one is" in found.output
    for name, open_ in known.open.items():
        assert f"queue '{name}': {len(open_)} positions found, 0 missing" in found.output
    assert given(known.directory) == {
        name: {at: known.messages[name][at] for at in open_} for name, open_ in known.open.items()
    }
    assert run(known).exit_code == 0


@pytest.mark.parametrize("table", ["index", "settled", "letters", "pages", "queues", "spent", "refs", "tries"])
def test_a_key_that_no_hub_writes_is_damage_that_is_repaired(known: Known, table: str) -> None:
    tables = edit(known.directory)
    with tables.writing() as transaction:
        transaction.put(b"odd", b"x", db=getattr(tables, table))
    tables.close()
    assert run(known).exit_code == 1
    assert run(known, "--repair").exit_code == 1
    assert run(known).exit_code == 0
    assert given(known.directory) == {
        name: {at: known.messages[name][at] for at in open_} for name, open_ in known.open.items()
    }


def test_programs_are_told_of_a_rescue(known: Known) -> None:
    destroy(known)
    document = json.loads(run(known, "--repair", "--json").output)
    assert Path(document["rescued"]["old"]).exists()
    assert document["rescued"]["queues"]["alpha"]["missing"] == 0
    assert document["rescued"]["notes"]


def test_a_store_in_use_is_left_alone(known: Known) -> None:
    lock = StateLock(known.directory)
    try:
        arguments = [sys.executable, "-c", "from hub.cli import main; main()", "fsck", "-c"]
        config = str(known.directory.parent / "hub.conf")
        found = subprocess.run([*arguments, config], capture_output=True, text=True, check=False)
    finally:
        lock.release()
    assert found.returncode == 78
    assert f"the hub of {known.directory} is running, pid {os.getpid()}: stop it first" in found.stderr
    assert "another hub" not in found.stderr


def test_it_works_as_a_command(known: Known) -> None:
    arguments = [sys.executable, "-c", "from hub.cli import main; main()", "fsck", "-c"]
    config = str(known.directory.parent / "hub.conf")
    found = subprocess.run([*arguments, config], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")


def test_without_a_store_there_is_nothing_to_check(tmp_path: Path) -> None:
    (tmp_path / "hub.conf").write_text(CONFIG)
    found = CliRunner().invoke(fsck, ["-c", str(tmp_path / "hub.conf")])
    assert found.exit_code == os.EX_NOINPUT
    assert not (tmp_path / "state").exists()


def test_a_reader_that_dies_is_a_problem_and_a_rescue_follows(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    deaths = [rows.walk]

    def isolated(work: Any, *arguments: Any) -> Any:
        if work in deaths:
            deaths.remove(work)
            raise DiedError("the process that read it died: SIGBUS")
        return work(*arguments)

    monkeypatch.setattr(rows, "isolated", isolated)
    found = run(known, "--repair")
    assert "the structure of the file is damaged: file: the process that read it died: SIGBUS" in found.output
    assert found.exit_code == 1
    assert run(known).exit_code == 0


def test_so_is_one_that_dies_of_what_it_checks(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "check", dying)
    found = run(known)
    assert (found.exit_code, "died: exit code 9" in found.output) == (1, True)


def dying(directory: Path) -> Any:
    os._exit(9)


def test_what_is_left_is_told(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    damage(known)
    monkeypatch.setattr("hub.store.fsck.rebuild.Rebuild._count_letters", lambda self, *arguments: None)
    delete_letter(known)
    found = run(known, "--repair")
    assert found.exit_code == 2
    assert "left:" in found.output


def delete_letter(known: Known) -> None:
    tables = edit(known.directory)
    with tables.writing() as transaction:
        cursor = transaction.cursor(tables.letters)
        assert cursor.first()
        cursor.delete()
    tables.close()


def test_a_disk_that_is_full_is_no_damage(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    damage(known)

    def full(self: t.Tables) -> None:
        raise lmdb.MapFullError("no space")

    monkeypatch.setattr(t.Tables, "writing", full)
    found = run(known, "--repair")
    assert isinstance(found.exception, OSError)
    assert not (known.directory / "damaged").exists()


def test_the_help_names_the_exit_codes() -> None:
    assert "2 problems are left" in " ".join(CliRunner().invoke(fsck, ["--help"]).output.split())
