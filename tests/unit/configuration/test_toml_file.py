"""One file of settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.configuration.toml_file import TomlFile
from hub.errors import ConfigError


def test_a_key_has_its_line_or_that_of_what_is_around_or_in_it(tmp_path: Path) -> None:
    path = tmp_path / "hub.conf"
    path.write_text("# first\n[a.b]\nc = {d = 1}\n", encoding="utf-8")
    file = TomlFile.read(path)
    assert file.content == {"a": {"b": {"c": {"d": 1}}}}
    keys: list[tuple[str, ...]] = [("a",), ("a", "b"), ("a", "b", "c"), ("a", "b", "c", "d"), ("x",)]
    assert [file.line(key) for key in keys] == [2, 2, 3, 3, 1]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a = 1\nb = \n", "hub.conf:2:5: not TOML: Invalid value"),
        (b"a = 1\na = 2\n", "hub.conf:2:6: not TOML: Cannot overwrite a value"),
        (b"a = '", 'hub.conf: not TOML: Expected "\'" (at end of document)'),
        (b"\xef\xbb\xbfa = 1", "hub.conf:1: it begins with a byte order mark: save it as UTF-8 without one"),
        (b"a = '\xff'", "hub.conf: not UTF-8: invalid start byte at byte 5"),
        (b"a = " + b"[" * 5000, "hub.conf: not TOML: nested too deeply"),
        (
            b"a = " + b"9" * 5000,
            "hub.conf: not TOML: Exceeds the limit (4300 digits) for integer string conversion",
        ),
    ],
)
def test_what_is_no_toml_is_said_with_its_place(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "hub.conf").write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        TomlFile.read(tmp_path / "hub.conf")
    (problem,) = caught.value.problems
    assert problem.removeprefix(f"{tmp_path}/").startswith(said)


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be read: No such file or directory"):
        TomlFile.read(tmp_path / "none")
    with pytest.raises(ConfigError, match="can't be read: Is a directory"):
        TomlFile.read(tmp_path)
    with pytest.raises(ConfigError, match="embedded null byte"):
        TomlFile.read(tmp_path / "\0")
