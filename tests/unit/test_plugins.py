"""From a name to a class."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from hub import plugins
from hub.errors import PluginError
from tests.support import ROOT


def load(spec: str, directory: Path) -> plugins.Plugin:
    return plugins.load("hub.consumers", spec, directory)


def test_an_installed_name_a_dotted_path_and_a_file_are_found(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("class Mine: pass\n")
    assert load("log", tmp_path).cls.__name__ == "Log"
    assert load("hub.consumers.log:Log", tmp_path).cls is load("log", tmp_path).cls
    assert load("mine.py:Mine", tmp_path).cls.__name__ == "Mine"
    assert load(f"{tmp_path}/mine.py:Mine", Path("/")).cls.__name__ == "Mine"


def test_a_file_shadows_no_module_and_is_loaded_once(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("class Mine: pass\n")
    first = load("json.py:Mine", tmp_path)
    assert load("json.py:Mine", tmp_path).cls is first.cls
    assert sys.modules["json"].__file__ != str(tmp_path / "json.py")


def test_a_changed_file_is_another_class_with_another_fingerprint(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("class Mine: pass\n")
    first = load("mine.py:Mine", tmp_path)
    file.write_text("class Mine:\n    x = 1\n")
    second = load("mine.py:Mine", tmp_path)
    assert first.fingerprint != second.fingerprint
    assert second.cls.x == 1


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("archve", "no consumer is called 'archve'; did you mean 'archive'?"),
        ("zzz", "there are: archive, log, relay, slow, trigger, watch, webhook"),
        ("hub.consumers.log:Lgo", "the module has no class 'Lgo'; did you mean 'Log'?"),
        ("no.such.module:X", "No module named 'no'"),
        ("missing.py:X", "No such file"),
        ("broken.py:X", "can't be imported: SyntaxError"),
        ("raising.py:X", "can't be imported: ZeroDivisionError"),
    ],
)
def test_what_can_not_be_had_is_said(tmp_path: Path, spec: str, said: str) -> None:
    (tmp_path / "broken.py").write_text("class X(\n")
    (tmp_path / "raising.py").write_text("1 / 0\n")
    with pytest.raises(PluginError) as caught:
        load(spec, tmp_path)
    assert said in str(caught.value)


def test_what_the_hubs_own_was_called_once_is_told_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place not in ("", str(ROOT))])
    for name in [name for name in sys.modules if name.partition(".")[0] == "consumers"]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(PluginError, match=r"the hub's own it is 'hub\.consumers\.archive:Archive'"):
        load("consumers.archive:Archive", tmp_path)


def test_a_package_of_ones_own_that_is_called_hub_is_to_be_named_by_its_file(tmp_path: Path) -> None:
    with pytest.raises(PluginError) as caught:
        load("hub.mine:Mine", tmp_path)
    assert "'hub' is this program's own name: name the file, 'hub/mine.py:Class'" in str(caught.value)
