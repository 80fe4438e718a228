"""PostgreSQL by either driver: one reading of a URL, and of an error."""

from __future__ import annotations

import pytest
from sqlalchemy import exc, make_url

from hub.postgres import CONNECTING, code_of, connect_arguments, extras, reason_of


@pytest.mark.parametrize(("driver", "own"), [("psycopg2", {}), ("psycopg", {"prepare_threshold": None})])
def test_the_url_goes_before_what_is_set_by_default(driver: str, own: dict[str, None]) -> None:
    by_default = {"client_encoding": "utf8", **own}
    assert connect_arguments(make_url(f"postgresql+{driver}://h/d")) == CONNECTING | by_default
    found = connect_arguments(make_url(f"postgresql+{driver}://h/d?connect_timeout=3&keepalives_idle=7"))
    left = {name: value for name, value in CONNECTING.items() if name not in ("connect_timeout", "keepalives_idle")}
    assert found == left | by_default


def test_each_driver_comes_with_an_extra() -> None:
    found = extras("a use")
    assert {driver: (one.name, one.modules) for driver, one in found.items()} == {
        "psycopg2": ("postgres", ("psycopg2",)),
        "psycopg": ("psycopg", ("psycopg",)),
    }
    assert {one.use for one in found.values()} == {"a use"}


@pytest.mark.parametrize("name", ["sqlstate", "pgcode"])
def test_a_code_is_read_from_either_driver(name: str) -> None:
    error = OSError("away")
    assert code_of(error) is None
    setattr(error, name, "40P01")
    assert code_of(error) == "40P01"
    assert code_of(None) is None


def test_a_reason_is_the_drivers_first_line() -> None:
    assert reason_of(exc.OperationalError("SELECT 1", {}, OSError("\naway\nfor long"))) == "away"
    assert reason_of(OSError("a\tb")) == "a\\tb"
    assert reason_of(OSError()) == "OSError"
