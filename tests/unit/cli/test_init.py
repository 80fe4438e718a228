"""``hubbub init``: what it writes, what it never overwrites, and what it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hub.cli.init import init
from hub.configuration.loading import load
from hub.templates import PLACE, TEMPLATES, Template, program_directory


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(init, arguments)


def test_the_configuration_is_a_good_one_and_each_line_of_it_short(directory: Path) -> None:
    result = run()
    assert (result.exit_code, result.output) == (0, "hub.conf: written\nNext: hubbub check, hubbub run\n")
    found = load(directory / "hub.conf", (), {})
    names = [list(found.of(section)) for section in ("backends", "consumers", "servers")]
    assert names == [["bus"], ["log"], ["web"]]
    assert max(map(len, (directory / "hub.conf").read_text().splitlines())) <= 120


def test_a_directory_is_made_and_named_in_what_comes_next(directory: Path) -> None:
    result = run("new/hub")
    assert "Next: hubbub check -c new/hub/hub.conf, hubbub run -c new/hub/hub.conf" in result.output
    assert (directory / "new" / "hub" / "hub.conf").is_file()


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_each_template_is_written_and_its_next_steps_name_its_files(directory: Path, template: Template) -> None:
    result = run(f"--{template.name}")
    assert result.exit_code == 0
    written = list((directory / template.name).iterdir())
    assert {path.name for path in written} == {name for name, _ in template.texts()}
    assert written
    named = " ".join(template.steps_for(Path(template.name)))
    assert all(f"{template.name}/{path.name}" in named or path.name in named for path in written)
    assert f"Next, for {template.name}:" in result.output
    assert (directory / "hub.conf").is_file()


@pytest.mark.parametrize("option", [[], ["--systemd"]])
def test_a_file_that_is_there_is_kept_and_nothing_else_is_written(directory: Path, option: list[str]) -> None:
    taken = directory / ("systemd/hubbub.service" if option else "hub.conf")
    taken.parent.mkdir(exist_ok=True)
    taken.write_text("mine\n")
    before = sorted(directory.rglob("*"))
    result = run(*option)
    assert result.exit_code == 73
    assert "would be overwritten; --force does that" in result.output
    assert taken.read_text() == "mine\n"
    assert sorted(directory.rglob("*")) == before
    assert run(*option, "--force").exit_code == 0
    assert taken.read_text() != "mine\n"


def test_with_an_option_a_hub_conf_stays_as_it_is_even_by_force(directory: Path) -> None:
    (directory / "hub.conf").write_text("# mine\n")
    assert run("--nginx", "--force").exit_code == 0
    assert (directory / "hub.conf").read_text() == "# mine\n"


def test_the_same_again_is_no_overwriting(directory: Path) -> None:
    run("--snmp")
    result = run("--snmp", "--json")
    told = json.loads(result.output)
    assert (result.exit_code, told["written"]) == (0, [])
    assert "snmp/snmpd.conf" in told["unchanged"]
    assert told["next"]["snmp"]


@pytest.mark.parametrize("force", [[], ["--force"]])
def test_a_link_is_never_followed(directory: Path, force: list[str]) -> None:
    other = directory / "other"
    other.write_text("another's\n")
    (directory / "hub.conf").symlink_to(other)
    assert run(*force).exit_code == (0 if force else 73)
    assert other.read_text() == "another's\n"
    assert (directory / "hub.conf").is_symlink() is not bool(force)


def test_the_files_name_the_programs_of_this_installation() -> None:
    found = {name: text for template in TEMPLATES for name, text in template.texts(Path("/srv/bin"), Path("/srv/lib"))}
    assert "ExecStart=/srv/bin/python -P /srv/bin/hubbub run" in found["hubbub.service"]
    assert 'ModulePath "/srv/lib/hub/monitoring"' in found["hubbub-plugin.conf"]
    assert all(f"{PLACE}/bin" not in text for text in found.values())


def test_a_link_that_an_upgrade_keeps_is_named_where_there_is_one(directory: Path) -> None:
    environment, link = directory / "hubbub-0.1.0", directory / "hubbub"
    environment.mkdir()
    assert program_directory(environment, link) == environment / "bin"
    link.symlink_to(environment.name)
    assert program_directory(environment, link) == link / "bin"
