"""docs/moksha.rst: its configuration is good, and its document is one."""

from __future__ import annotations

import json
import re
from pathlib import Path

from hub.configuration.loading import load
from hub.monitoring.moksha_document import Publications
from tests.support import ROOT
from tests.unit.monitoring.snapshots import snapshot

TEXT = (ROOT / "docs" / "moksha.rst").read_text(encoding="utf-8")


def block(language: str) -> str:
    (found,) = re.findall(rf"\.\. code-block:: {language}\n\n((?:    .*\n|\n)+)", TEXT)
    return str(found)


def test_the_configuration_is_good(tmp_path: Path) -> None:
    (tmp_path / "hub.conf").write_text(block("toml"))
    part = load(tmp_path / "hub.conf", (), {}).of("exporters")["moksha"]
    assert (part.settings.interval, part.config.mode) == (5.0, "0666")


def test_the_document_has_the_keys_of_a_real_one() -> None:
    said, real = json.loads(block("json")), Publications(5.0).document(snapshot())
    for kind in ("consumers", "producers"):
        assert [list(row) for row in said[kind]] == [list(row) for row in real[kind]]
