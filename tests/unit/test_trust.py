"""Whose files are obeyed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hub import plugins
from hub.configuration.loading import load
from hub.configuration.locate import find, locate
from hub.errors import ConfigError, PluginError
from hub.trust import Trust, user_name
from tests.support import require_root

STRANGER = 54321
CONFIG = '[backends.bus]\ntype = "memory"\n'


def ours(path: Path) -> Trust:
    """Of a user whose files those of the test are."""
    return Trust(path.stat().st_uid)


def give_away(path: Path) -> Trust:
    """Have the file belong to a stranger, for the user whose trust is returned."""
    if os.geteuid() == 0:
        os.chown(path, STRANGER, -1)
        return Trust(0)
    return Trust(os.geteuid() + 1)


def owner_of(path: Path) -> int:
    return path.lstat().st_uid


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "hub.conf"
    path.write_text(CONFIG)
    path.chmod(0o644)
    return path


def test_ones_own_files_are_obeyed_also_below_tmp(file: Path) -> None:
    assert ours(file).refusal(file) is None


def test_a_strangers_file_is_refused_with_what_to_do(file: Path) -> None:
    trust = give_away(file)
    text = trust.refusal(file)
    assert text is not None
    assert "belongs to" in text
    assert "HUBBUB_TRUST=" in text


def test_a_user_can_be_trusted_by_name_or_number(file: Path) -> None:
    trust = give_away(file)
    others = Trust.now({"HUBBUB_TRUST": f"root, {owner_of(file)}"}).others
    assert Trust(trust.me, others).refusal(file) is None
    assert Trust.now({"HUBBUB_TRUST": user_name(os.getuid())}).others >= {os.getuid()}
    assert Trust.now({"HUBBUB_TRUST": "no-such-user"}).others == Trust.now({}).others


def test_all_files_are_obeyed_where_that_is_asked_for(file: Path) -> None:
    trust = give_away(file)
    everybody = Trust.now({"HUBBUB_TRUST": "all"})
    assert trust.refusal(file) is not None
    assert everybody.refusal(file) is None


def test_one_that_everybody_may_write_is_refused(file: Path) -> None:
    file.chmod(0o646)
    assert "chmod o-w" in str(ours(file).refusal(file))


def test_so_is_one_in_a_directory_that_everybody_may_write(tmp_path: Path) -> None:
    (tmp_path / "open" / "closed").mkdir(parents=True)
    file = tmp_path / "open" / "closed" / "hub.conf"
    file.write_text(CONFIG)
    assert ours(file).refusal(file) is None
    (tmp_path / "open").chmod(0o777)
    assert f"{tmp_path / 'open'} can be written by every user, mode 0777" in str(ours(file).refusal(file))
    (tmp_path / "open").chmod(0o1777)  # as /tmp is: nobody replaces what is another's
    assert ours(file).refusal(file) is None


def test_the_way_by_a_link_counts_too(tmp_path: Path) -> None:
    place = tmp_path / "open"
    place.mkdir()
    (place / "real.conf").write_text(CONFIG)
    link = tmp_path / "hub.conf"
    link.symlink_to("open/../open/real.conf")
    assert ours(place).refusal(link) is None
    place.chmod(0o777)
    assert f"{place} can be written" in str(ours(place).refusal(link))


def test_a_link_of_a_strangers_is_refused(tmp_path: Path, file: Path) -> None:
    require_root("gives files away")
    link = tmp_path / "link.conf"
    link.symlink_to(file)
    os.chown(link, STRANGER, -1, follow_symlinks=False)
    assert f"{link} belongs to" in str(Trust(0).refusal(link))


def test_links_that_run_in_a_circle_end(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert ours(tmp_path).refusal(tmp_path / "a") is None


def test_what_is_not_there_is_for_its_reader_to_tell(tmp_path: Path) -> None:
    assert ours(tmp_path).refusal(tmp_path / "no" / "such") is None


def test_a_group_with_other_members_counts_for_root_and_where_it_is_strict(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = max(1, os.getuid())
    monkeypatch.setattr(Trust, "_owner_problem", lambda *_: None)
    file.chmod(0o664)
    monkeypatch.setattr(Trust, "_has_others", lambda *_: True)
    assert Trust(user).refusal(file) is None
    assert "chmod g-w" in str(Trust(user).refusal(file, strict=True))
    assert "chmod g-w" in str(Trust(0).refusal(file))
    monkeypatch.setattr(Trust, "_has_others", lambda *_: False)
    assert Trust(0).refusal(file, strict=True) is None


def test_who_is_in_a_group() -> None:
    assert not Trust(0)._has_others(0)
    assert Trust(0)._has_others(4_000_000)  # nobody knows who is in it


# -- where it is asked


def test_a_configuration_of_a_strangers_is_not_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trust = give_away(file)
    monkeypatch.setattr(Trust, "now", lambda: trust)
    with pytest.raises(ConfigError, match="belongs to"):
        load(file)
    locate(file)  # it was named, and no more than the place of a socket is taken from it


def test_nor_is_one_that_nobody_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    assert find(None) == file
    trust = give_away(file)
    monkeypatch.setattr(Trust, "now", lambda: trust)
    with pytest.raises(ConfigError, match="--config names another"):
        find(None)
    with pytest.raises(ConfigError, match="--config names another"):
        locate(None)


def test_a_strangers_file_beside_it_is_not_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    beside = file.with_name("hub.conf.d")
    beside.mkdir()
    (beside / "more.conf").write_text("[hub]\nkeep = '1h'\n")
    assert load(file).hub.keep == 3600
    (beside / "more.conf").chmod(0o666)
    with pytest.raises(ConfigError, match=r"more\.conf can be written by every user"):
        load(file)


def test_a_plugin_of_a_strangers_is_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "evil.py"
    file.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    trust = give_away(file)
    monkeypatch.setattr(Trust, "now", lambda: trust)
    with pytest.raises(PluginError, match=r"is not imported: .* belongs to"):
        plugins.load("hub.consumers", "evil.py:Evil", tmp_path)
    assert not (tmp_path / "ran").exists()


def test_what_an_access_control_list_opens_is_refused_to_root(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mode has it as the group's, who may be nobody else."""
    file.chmod(0o664)
    trust = Trust(0, frozenset({owner_of(file)}))
    monkeypatch.setattr(Trust, "_has_others", lambda *_: False)
    assert trust.refusal(file) is None
    monkeypatch.setattr(os, "getxattr", lambda place, *_, **__: b"list" if Path(place) == file else b"")
    assert f"{file} can be written by those whom its access control list names" in (trust.refusal(file) or "")
    file.chmod(0o644)
    assert trust.refusal(file) is None
