"""What a setting may be, in words."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from hub.configuration.type_names import is_secret, kind_of, tables_in, written_by
from hub.settings import Duration, FilePath, SecretRef, Settings, Size, Topics, setting


class Inner(Settings):
    size: int = setting(1, "A size.")


class Sample(Settings):
    pause: Duration = setting("1m", "", gt=0, le=90)
    wait: Duration | None = setting(None, "", ge=0.5)
    limit: Size = setting("1MiB", "", ge=1024)
    place: FilePath | None = setting(None, "")
    password: SecretRef | None = setting(None, "")
    keys: list[SecretRef] = setting([], "")
    topics: Topics | None = setting(None, "")
    count: int = setting(1, "", ge=1, le=5)
    ratio: float = setting(1.0, "", lt=2)
    on: bool = setting(True, "")
    form: Literal["a", "b"] = setting("a", "")
    either: int | str = setting(1, "")
    inner: Inner | None = setting(None, "")
    table: dict[str, Any] = setting({}, "")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("pause", "duration, more than 0s, at most 1m30s"),
        ("wait", "duration, 500ms or more"),
        ("limit", "size, 1KiB or more"),
        ("place", "path"),
        ("password", "where a secret is: 'file:/path' or 'credential:name'"),
        ("topics", "list"),
        ("count", "whole number, 1 or more, at most 5"),
        ("ratio", "number, less than 2"),
        ("on", "true or false"),
        ("form", "one of 'a', 'b'"),
        ("either", "whole number or text"),
        ("inner", "table"),
        ("table", "table"),
    ],
)
def test_each_kind_has_its_words(name: str, kind: str) -> None:
    assert kind_of(Sample.model_fields[name]) == kind


def test_a_bound_is_written_as_its_setting() -> None:
    assert written_by(Sample.model_fields["pause"])(60) == "1m"
    assert written_by(Sample.model_fields["limit"])(2048) == "2KiB"
    assert written_by(Sample.model_fields["count"])(60) == "60"


def test_a_secret_is_known_by_its_declaration_or_its_name() -> None:
    assert is_secret("keys", Sample.model_fields["keys"])
    assert is_secret("x", Sample.model_fields["password"])
    assert is_secret("api_token", None)
    assert not is_secret("topics", Sample.model_fields["topics"])


def test_the_settings_of_an_inner_table_are_found() -> None:
    assert set(tables_in(Sample.model_fields["inner"])) == {"size"}
    assert not tables_in(Sample.model_fields["table"])
