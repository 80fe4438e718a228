"""The settings in force, and who set them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from hub.configuration.effective import effective_file, settings_in_force
from hub.configuration.loading import build, read
from tests.unit.configuration.configurations import CLASSES

TEXT = """\
[hub]
stop_timeout = 4000.25
[consumers."my.one"]
type = "classes.py:Good"
max_backlog_bytes = 1500
password = "file:/secret"
[consumers.archive]
type = "archive"
database = "postgresql://ann:hunter2/x y@db/archive"
[consumers.off]
type = "log"
enabled = false
"""


def effective(directory: Path, **environ: str) -> tuple[dict[str, Any], dict[tuple[str, ...], str], str]:
    (directory / "classes.py").write_text(CLASSES)
    file = directory / "hub.conf"
    file.write_text(TEXT)
    layers = read(file, ("consumers.archive.threads=4",), environ)
    settings = list(settings_in_force(build(layers, file, environ), layers, environ))
    sources = {(*row.table, row.name): row.source.replace(f"{directory}/", "") for row in settings}
    text = effective_file(iter(settings))
    return tomllib.loads(text), sources, text


def test_each_setting_has_its_source(tmp_path: Path) -> None:
    _, sources, _ = effective(tmp_path, HUBBUB_HUB__LOG_LEVEL="debug", STATE_DIRECTORY="/s")
    good = ("consumers", "my.one")
    assert sources["hub", "stop_timeout"] == "hub.conf:2"
    assert sources["hub", "log_level"] == "$HUBBUB_HUB__LOG_LEVEL"
    assert sources["hub", "state_dir"] == "$STATE_DIRECTORY"
    assert sources["hub", "control_socket"] == "default"
    assert sources["consumers", "archive", "threads"] == "--set consumers.archive.threads"
    assert sources["consumers", "archive", "batch_size"] == "class Archive"
    assert sources[*good, "type"] == "hub.conf:4"
    assert sources[*good, "topics"] == "class Good"
    assert sources[*good, "batch_size"] == "default"
    assert not any("off" in key for key in sources)


def test_it_is_toml_that_says_exactly_what_is_in_force(tmp_path: Path) -> None:
    found, _, _ = effective(tmp_path)
    assert found["hub"]["stop_timeout"] == "1h6m40.25s"
    assert found["consumers"]["my.one"]["max_backlog_bytes"] == "1500B"
    assert found["consumers"]["my.one"]["topics"] == ["a.#"]
    assert "place" not in found["consumers"]["my.one"]


def test_a_secret_is_shown_as_where_it_is_and_a_password_not_at_all(tmp_path: Path) -> None:
    found, _, text = effective(tmp_path)
    assert found["consumers"]["my.one"]["password"] == "file:/secret"
    assert found["consumers"]["archive"]["database"] == "postgresql://ann:***@db/archive"
    assert "hunter2" not in text


def test_what_is_shown_can_be_loaded_again(tmp_path: Path) -> None:
    """But for what is masked."""
    _, _, text = effective(tmp_path)
    file = tmp_path / "again.conf"
    file.write_text(text)
    first = build(read(tmp_path / "hub.conf", (), {}), tmp_path / "hub.conf", {}).consumers["my.one"]
    drop = "batch_size = 100"
    file.write_text("\n".join(line for line in text.splitlines() if not line.startswith((drop, "batch_wait"))))
    again = build(read(file, ("consumers.archive.batch_size=500",), {}), file, {}).consumers["my.one"]
    assert (again.settings, again.config) == (first.settings, first.config)
