"""What a configuration leaves open to other users of the machine."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hub.cli.config import check
from hub.errors import ConfigError
from hub.trust import Trust
from tests.support import require_root
from tests.unit.configuration.configurations import CLASSES

TEXT = """\
[backends.bus]
type = "memory"
[consumers.good]
type = "classes.py:Good"
password = "file:{directory}/secret"
place = "{directory}/place"
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for name, text in (
        ("classes.py", f"{CLASSES}# of {tmp_path}\n"),
        ("secret", "s"),
        ("place", "p"),
        ("hub.conf", ""),
    ):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o640)
    (tmp_path / "hub.conf").write_text(TEXT.format(directory=tmp_path))
    (tmp_path / "state").mkdir(0o755)
    return tmp_path


def run(directory: Path, *arguments: str) -> Result:
    return CliRunner().invoke(check, ["-c", str(directory / "hub.conf"), *arguments])


def refused(directory: Path, *arguments: str) -> list[str]:
    found = run(directory, "--strict", *arguments)
    assert isinstance(found.exception, ConfigError), found.output
    return found.exception.problems


def test_where_all_is_ones_own_nothing_is_open(directory: Path) -> None:
    assert run(directory, "--strict").exit_code == 0


def test_a_secret_that_everybody_may_read(directory: Path) -> None:
    (directory / "secret").chmod(0o644)
    (problem,) = refused(directory)
    assert problem == (
        f"consumers.good.password: the secret {directory}/secret can be read by every user, mode 0644: "
        f"chmod o= {directory}/secret"
    )


def test_it_is_only_warned_of_unless_the_check_is_strict(directory: Path) -> None:
    (directory / "secret").chmod(0o644)
    shown = run(directory)
    assert shown.exit_code == 0
    assert "hubbub: warning: consumers.good.password: the secret" in shown.output
    (warning,) = json.loads(run(directory, "--json").output)["warnings"]
    assert "chmod o=" in warning


@pytest.mark.parametrize("name", ["place", "secret"])
def test_a_file_that_a_setting_names_and_others_may_write(directory: Path, name: str) -> None:
    (directory / name).chmod(0o602)
    assert any(f"{directory / name} can be written by every user" in problem for problem in refused(directory))


@pytest.mark.parametrize("name", ["hub.conf", "classes.py", "state"])
def test_what_a_group_with_others_in_it_may_write(directory: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an ordinary user; for root it is refused at once."""
    monkeypatch.setattr(Trust, "_has_others", lambda *_: True)
    if os.geteuid() == 0:
        monkeypatch.setattr("hub.trust.ROOT", -1)
    (directory / name).chmod(0o775)
    assert run(directory).exit_code == 0
    assert [f"{directory / name} can be written by the group" in problem for problem in refused(directory)] == [True]


def test_a_control_socket_for_everybody(directory: Path) -> None:
    (problem,) = refused(directory, "-s", "hub.control_mode=0666")
    assert problem == "hub.control_mode: 0666 lets every user of this machine steer the hub"


def test_a_state_directory_that_no_hub_would_use_fails_any_check(directory: Path) -> None:
    (directory / "state").chmod(0o777)
    found = run(directory)
    assert isinstance(found.exception, ConfigError)
    assert "hub.state_dir: " in str(found.exception)


def test_one_of_the_hubs_own_user_is_fine_for_root(directory: Path) -> None:
    require_root("gives files away")
    os.chown(directory / "state", 54321, -1)
    assert run(directory, "--strict").exit_code == 0
