"""How settings are declared, and where secrets are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from hub.settings import Duration, FilePath, SecretRef, Settings, Size, Topics, setting


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


class Span(Settings):
    """Two limits, which may contradict each other."""

    least: int = setting(1, "The lower limit.", ge=0)
    most: int = setting(9, "The upper limit.", ge=0)

    def contradictions(self) -> Iterator[str]:
        if self.most < self.least:
            yield "most must not be below least"
        if self.least % 2 != self.most % 2:
            yield "least and most must both be odd, or both even"


def problems_of(**values: object) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        Span.model_validate(values)
    return [error["msg"] for error in caught.value.errors()]


def test_settings_that_agree_are_taken() -> None:
    assert Span.model_validate({"least": 2, "most": 4}).most == 4
    assert list(Sample().contradictions()) == []


def test_all_contradictions_are_told_at_once() -> None:
    assert problems_of(least=4, most=3) == [
        "Value error, most must not be below least; least and most must both be odd, or both even"
    ]


def test_contradictions_are_looked_for_once_each_setting_is_valid() -> None:
    assert problems_of(least=4, most=-3) == ["Input should be greater than or equal to 0"]


def test_a_class_adds_to_the_contradictions_of_its_base() -> None:
    class Narrow(Span):
        def contradictions(self) -> Iterator[str]:
            yield from super().contradictions()
            if self.most > 5:
                yield "most must not be above 5"

    with pytest.raises(ValidationError, match="both be odd, or both even; most must not be above 5"):
        Narrow.model_validate({"least": 2, "most": 7})


def test_a_contradiction_quotes_no_setting() -> None:
    with pytest.raises(ValidationError) as caught:
        Span.model_validate({"least": 4321, "most": 1})
    assert "4321" not in str(caught.value)
