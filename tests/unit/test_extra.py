"""Optional libraries, and the command that installs them."""

from __future__ import annotations

import sys

import pytest

from hub.errors import MissingExtra
from hub.extra import Extra

EXTRA = Extra("Boats", "boats", ("json", "csv"))


def test_libraries_that_are_there() -> None:
    EXTRA.check()


@pytest.mark.parametrize("module", EXTRA.modules)
def test_one_that_is_missing(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra, match=r"^Boats needs an optional library: pip install 'hubbub\[boats\]'$"):
        EXTRA.check()
