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
    first = build(read(tmp_path / "hub.conf", (), {}), tmp_path / "hub.conf", {}).of("consumers")["my.one"]
    drop = "batch_size = 100"
    file.write_text("\n".join(line for line in text.splitlines() if not line.startswith((drop, "batch_wait"))))
    again = build(read(file, ("consumers.archive.batch_size=500",), {}), file, {}).of("consumers")["my.one"]
    assert (again.settings, again.config) == (first.settings, first.config)


def test_a_text_that_is_named_like_a_secret_is_not_shown(tmp_path: Path) -> None:
    """A plugin should declare it as a SecretRef; the one that does not must not give it away."""
    (tmp_path / "careless.py").write_text(CARELESS)
    file = tmp_path / "hub.conf"
    file.write_text(
        '[consumers.c]\ntype = "careless.py:C"\napi_key = "hunter2"\nheaders = {X-Api-Key = "hunter3", Accept = "a"}\n'
        'url = "https://x/?api_key=hunter4"\ntoken_file = "/t"\nauth_tokens = ["hunter5"]\n'
    )
    layers = read(file, (), {})
    text = effective_file(iter(settings_in_force(build(layers, file, {}), layers, {})))
    assert "hunter" not in text
    found = tomllib.loads(text)["consumers"]["c"]
    assert (found["api_key"], found["auth_tokens"]) == ("***", "***")
    assert found["headers"] == {"X-Api-Key": "***", "Accept": "a"}
    assert (found["token_file"], found["max_tokens"], found["token_age"]) == ("/t", 5, "1h")


CARELESS = """
from hub import Consumer, Settings, setting
from hub.settings import Duration

class C(Consumer):
    class Config(Settings):
        api_key: str = setting("", "A key.")
        headers: dict[str, str] = setting({}, "Headers.")
        url: str = setting("", "An address.")
        token_file: str = setting("", "A file.")
        auth_tokens: list[str] = setting([], "Tokens.")
        max_tokens: int = setting(5, "A number.")
        token_age: Duration = setting("1h", "An age.")

    def consume(self, message):
        pass
"""
