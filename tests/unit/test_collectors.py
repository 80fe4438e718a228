"""Metrics of a file's module, when the file is imported anew."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from hub import files


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


METRIC = "from prometheus_client import Counter\nVALUE = Counter('test_files_{}', 'of a module')\n"


def test_a_metric_of_the_module_is_not_in_the_way_of_the_next_one(tmp_path: Path) -> None:
    file = write(tmp_path / "mine.py", METRIC.format("one"))
    first = files.load(file).module.VALUE
    write(file, METRIC.format("one") + "# edited\n")
    second = files.load(file).module.VALUE
    second.inc()
    assert second is not first
    assert REGISTRY.get_sample_value("test_files_one_total") == 1
    write(file, METRIC.format("one") + "1 / 0\n")
    with pytest.raises(ZeroDivisionError):
        files.load(file)
    assert REGISTRY.get_sample_value("test_files_one_total") == 1
    REGISTRY.unregister(second)
    files.forget_others(())
