"""How settings are declared, and where secrets are."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from hub.errors import ConfigError
from hub.settings import Duration, FilePath, Secret, SecretRef, Settings, Size, Topics, setting


class Sample(Settings):
    pause: Duration = setting("1m", "A pause.")
    limit: Size = setting("1MiB", "A limit.")
    place: FilePath | None = setting(None, "A place.")
    password: SecretRef | None = setting(None, "A secret.")
    topics: Topics = setting(["#"], "Topics.")
    count: int = setting(1, "A count.", ge=1)


def test_defaults_are_read_as_if_they_were_given() -> None:
    assert (Sample().pause, Sample().limit) == (60.0, 1 << 20)


def test_settings_are_written_as_one_would_write_them() -> None:
    dumped = Sample.model_validate({"password": "credential:x", "place": "/a"}).model_dump(mode="json")
    assert dumped == {
        "pause": "1m",
        "limit": "1MiB",
        "place": "/a",
        "password": "credential:x",
        "topics": ["#"],
        "count": 1,
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"count": 0},
        {"count": "1"},
        {"count": True},
        {"nothing": 1},
        {"topics": "a"},
        {"topics": ["a b"]},
        {"place": ""},
        {"place": "~/x"},
        {"place": "a\0b"},
        {"pause": "5300w"},
        {"pause": "9" * 400 + "s"},
        {"pause": 10**400},
        {"limit": "1048577GiB"},
        {"limit": "9" * 400 + "B"},
        {"limit": 10**400},
        {"password": "hunter2"},
        {"password": "file:relative"},
        {"password": "credential:../x"},
    ],
)
def test_nothing_is_coerced(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Sample.model_validate(wrong)


def test_a_relative_path_is_taken_from_where_its_file_is() -> None:
    context = {"directory": Path("/main"), "directories": {"place": Path("/beside")}}
    assert Sample.model_validate({"place": "x"}, context=context).place == Path("/beside/x")
    assert Sample.model_validate({"place": "x"}, context={"directory": Path("/main")}).place == Path("/main/x")
    assert Sample.model_validate({"place": "/x"}, context=context).place == Path("/x")


def test_what_was_refused_is_not_in_the_error() -> None:
    """A traceback may be logged where a problem would be masked."""
    with pytest.raises(ValidationError) as caught:
        Sample.model_validate({"count": "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_nothing_can_be_changed() -> None:
    with pytest.raises(ValidationError):
        Sample().count = 2


def test_a_secret_is_read_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "db").write_text("hunter2\n")
    assert Secret(f"file:{tmp_path}/db").read() == "hunter2"
    with pytest.raises(ConfigError, match="CREDENTIALS_DIRECTORY"):
        Secret("credential:db").read()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert Secret("credential:db").read() == "hunter2"
    with pytest.raises(ConfigError, match="can't be read"):
        Secret("credential:other").read()
