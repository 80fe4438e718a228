"""Whatever stands in a file, the answer is a configuration or its problems."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.configuration.defaults import default_file
from hub.configuration.loading import load
from hub.errors import ConfigError
from tests.support import ROOT
from tests.unit.configuration.configurations import CLASSES

FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
VALID = [
    (ROOT / "hub.conf").read_text(encoding="utf-8"),
    default_file(),
    '[consumers.c]\ntype = "classes.py:Rich"\nname = "ab"\ninner = {size = 3}\ntopics = ["a", "b"]\nwait = "1h30m"\n',
]
PIECES = [
    *("[", "]", "{", "}", "=", ".", ",", '"', '"""', "'", "#", "\n", "\r", "\x00", "\u2028", "-1", "true", "type"),
    *("1e999", "nan", "0x" + "f" * 5000, "9" * 400, '"\\ud800"', "1979-05-27", "a.b.c", "[[consumers]]"),
    '"x://a:hunter2@b"',
]


def said_of(file: Path, *overrides: str, **environ: str) -> list[str]:
    try:
        found = load(file, overrides, environ)
    except ConfigError as error:
        return error.problems
    return [str(found.state_dir)]


def check(said: list[str]) -> None:
    assert said
    for line in said:
        assert line
        assert line.isprintable()
        assert "hunter2" not in line


KEYS = st.sampled_from(
    ["hub", "consumers", "backends", "exporters", "type", "threads", "topics", "x", "log_level", "every"]
)
VALUES = st.recursive(
    st.one_of(
        st.integers(-5, 5),
        st.text(max_size=5),
        st.booleans(),
        st.floats(allow_nan=True),
        st.just("log"),
        st.just("classes.py:Rich"),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(character):08x}" for character in value) + '"'
    return repr(value)


@FUZZ
@given(content=st.one_of(st.binary(max_size=200), st.dictionaries(KEYS, VALUES, max_size=4)))
def test_any_bytes_and_any_tables(tmp_path: Path, content: Any) -> None:
    (tmp_path / "classes.py").write_text(CLASSES)
    file = tmp_path / "hub.conf"
    if isinstance(content, dict):
        text = "\n".join(f"{key} = {toml(value)}" for key, value in content.items())
        tomllib.loads(text)
        file.write_text(text)
    else:
        file.write_bytes(content)
    check(said_of(file))


@FUZZ
@given(data=st.data(), text=st.sampled_from(VALID))
def test_valid_files_with_something_cut_out_and_something_put_in(
    tmp_path: Path, data: st.DataObject, text: str
) -> None:
    (tmp_path / "classes.py").write_text(CLASSES)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + data.draw(st.sampled_from(PIECES)) + text[at + data.draw(st.integers(0, 12)) :]
    file = tmp_path / "hub.conf"
    file.write_text(text, encoding="utf-8")
    check(said_of(file))


@FUZZ
@given(override=st.text(max_size=30), name=st.text(max_size=10), value=st.text(max_size=20))
def test_any_flag_and_any_variable(tmp_path: Path, override: str, name: str, value: str) -> None:
    file = tmp_path / "hub.conf"
    file.write_text('[consumers.log]\ntype = "log"\n')
    check(said_of(file, override, f"consumers.log.{name}={value}", **{f"HUBBUB_CONSUMERS__{name}": value}))


def test_what_is_nested_too_deeply_is_said(tmp_path: Path) -> None:
    file = tmp_path / "hub.conf"
    file.write_text(f"hub.{'a.' * 5000}b = 1\n")
    assert said_of(file)[0].endswith("hub.a.a...: nested too deeply")
    file.write_text(f"a = {'[' * 5000}\n")
    assert said_of(file)[0].endswith("not TOML: nested too deeply")
    file.write_text("")
    assert "nested too deeply" in said_of(file, f"hub.{'a.' * 5000}b=1")[0]


def test_text_that_is_no_unicode_is_said_in_unicode(tmp_path: Path) -> None:
    """What the environment holds in another encoding comes as lone surrogates."""
    file = tmp_path / "hub.conf"
    file.write_text("")
    check(said_of(file, HUBBUB_HUB__LOG_TO="\udcff", **{"HUBBUB_HUB__\udcff": "1"}))
