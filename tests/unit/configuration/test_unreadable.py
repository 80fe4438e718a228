"""``hubbub check`` names files of the configuration that can't be read."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hub.cli.config import check
from hub.errors import ConfigError

NESTED = """
from hub import Consumer, Settings, setting
from hub.settings import FilePath, SecretRef

class Login(Settings):
    key: SecretRef | None = setting(None, "A secret.")

class Deep(Consumer):
    class Config(Settings):
        password: SecretRef | None = setting(None, "A secret.")
        users_file: FilePath | None = setting(None, "It is read.")
        output: FilePath | None = setting(None, "It is written.")
        logins: dict[str, Login] = setting({}, "By name.")
        keys: list[SecretRef] = setting([], "Secrets.")
    topics = ["a"]
    def consume(self, message): ...
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "nested.py").write_text(f"{NESTED}# of {tmp_path}\n")
    (tmp_path / "there").write_text("secret\n")
    (tmp_path / "empty").write_text("")
    return tmp_path


def run(directory: Path, *lines: str, section: str = "") -> Result:
    text = section or '[consumers.c]\ntype = "nested.py:Deep"\n'
    (directory / "hub.conf").write_text("\n".join(['[backends.bus]\ntype = "memory"', text, *lines, ""]))
    return CliRunner().invoke(check, ["-c", str(directory / "hub.conf")])


def problems(result: Result) -> list[str]:
    assert isinstance(result.exception, ConfigError), result.output
    return result.exception.problems


def test_where_all_can_be_read_all_is_well(directory: Path) -> None:
    found = run(directory, f'password = "file:{directory}/there"', f'output = "{directory}/later"')
    assert (found.exit_code, "can't be read" in found.output) == (0, False)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ('password = "file:{}/nowhere"', "password"),
        ('users_file = "{}/nowhere"', "users_file"),
        ('logins.ann.key = "file:{}/nowhere"', "logins.ann.key"),
        ('keys = ["file:{0}/there", "file:{0}/nowhere"]', "keys"),
    ],
)
def test_each_kind_of_setting_is_looked_at(directory: Path, line: str, name: str) -> None:
    found = problems(run(directory, line.format(directory)))
    assert found == [f"consumers.c.{name}: {directory}/nowhere can't be read: No such file or directory"]


def test_an_empty_secret_is_none(directory: Path) -> None:
    assert problems(run(directory, f'password = "file:{directory}/empty"')) == [
        f"consumers.c.password: {directory}/empty is empty"
    ]


def test_the_password_of_a_database_of_jobs(directory: Path) -> None:
    pytest.importorskip("psycopg2")
    section = f'[jobs.main]\ndatabase = "postgresql://app@db/app"\npassword = "file:{directory}/nowhere"'
    (problem,) = problems(run(directory, section=section))
    assert problem.startswith(f"jobs.main.password: {directory}/nowhere can't be read")


def test_a_credential_is_looked_for_where_systemd_has_given_some(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert run(directory, 'password = "credential:db"').exit_code == 0
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(directory))
    (problem,) = problems(run(directory, 'password = "credential:db"'))
    assert "db can't be read" in problem


def test_one_that_another_user_may_read_is_warned_of(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("hub.configuration.unreadable._beginning", refuse)
    found = run(directory, f'password = "file:{directory}/there"')
    assert found.exit_code == 0
    assert f"warning: consumers.c.password: {directory}/there can't be read by this user" in found.output
