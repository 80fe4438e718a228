"""Each configuration that the exporters' document shows is good."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hub.configuration.loading import load
from tests.support import ROOT

DOCUMENT = (ROOT / "docs" / "exporters.rst").read_text(encoding="utf-8")
SAMPLES = [
    re.sub(r"^    ", "", block, flags=re.MULTILINE)
    for block in re.findall(r"\.\. code-block:: toml\n\n((?:    .*\n|\n)+)", DOCUMENT)
]


def test_there_is_a_sample_of_each_type() -> None:
    assert {"statsd", "graphite", "udp-monitor"} <= set(re.findall(r'type = "(.+?)"', "".join(SAMPLES)))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: str(sample.split("\n", 1)[0].strip("[]")))
def test_a_sample_is_good(sample: str, tmp_path: Path) -> None:
    (tmp_path / "hub.conf").write_text(sample)
    found = load(tmp_path / "hub.conf", (), {})
    assert {**found.of("exporters"), **found.of("backends"), **found.of("consumers")} or "[servers." in sample
