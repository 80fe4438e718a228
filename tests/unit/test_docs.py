"""The documents say what the code says."""

from __future__ import annotations

import re

from docs.generate_settings import PLACE, render
from hub.configuration.loading import load
from hub.configuration.schema import SECTIONS
from tests.support import ROOT


def test_the_settings_reference_is_that_of_the_declarations() -> None:
    assert PLACE.read_text(encoding="utf-8") == render(), "run: python -m docs.generate_settings"


def test_the_python_in_the_documents_compiles_and_its_consumers_are_good() -> None:
    count = 0
    for path in (ROOT / "README.rst", ROOT / "docs" / "consumers.rst"):
        for block in re.findall(r"\.\. code-block:: python\n\n((?:    .*\n|\n)+)", path.read_text(encoding="utf-8")):
            code = re.sub(r"^    ", "", block, flags=re.MULTILINE)
            found: dict[str, object] = {}
            exec(compile(code, str(path), "exec"), found)
            count += any(getattr(value, "__module__", "") == "builtins" for value in found.values())
    assert count >= 2


def test_the_readmes_configuration_is_good(tmp_path: object) -> None:
    text = (ROOT / "README.rst").read_text(encoding="utf-8")
    (block,) = re.findall(r"\.\. code-block:: toml\n\n((?:    .*\n|\n)+)", text)
    (code,) = re.findall(r"\.\. code-block:: python\n\n((?:    .*\n|\n)+)", text)
    directory = ROOT.__class__(str(tmp_path))
    (directory / "hello.py").write_text(re.sub(r"^    ", "", code, flags=re.MULTILINE))
    (directory / "hub.conf").write_text(block)
    found = load(directory / "hub.conf", (), {})
    assert {section for section in SECTIONS if getattr(found, section)} == {"backends", "consumers", "exporters"}
