"""What lists the commands: whole sentences, suggestions, and commands of plugins that can't be imported."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import click
import pytest
from click.testing import CliRunner

from hub import cli, entrypoints
from hub.cli import GROUP, LazyGroup
from hub.cli.group import Group
from hub.errors import Unavailable

GROUPS: list[list[str]] = [[], ["queue"], ["dead"], ["job"], ["refused"], ["outbox"], ["archive"], ["web"], ["stomp"]]


@pytest.mark.parametrize("group", GROUPS, ids=" ".join)
@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_line_of_the_help_is_cut(group: list[str], width: int) -> None:
    result = CliRunner().invoke(cli.cli, [*group, "--help"], terminal_width=width)
    listed = result.output.partition("Commands:\n")[2]
    assert listed
    assert "..." not in listed


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["statuss"], "Did you mean 'status'?"),
        (["archve"], "Did you mean 'archive'?"),
        (["queue", "lst"], "Did you mean 'list'?"),
        (["dead", "dellete"], "Did you mean 'delete'?"),
        (["archive", "serch"], "Did you mean 'search'?"),
    ],
)
def test_a_command_that_was_misspelt_is_suggested(arguments: list[str], hint: str) -> None:
    result = CliRunner().invoke(cli.cli, arguments)
    assert result.exit_code == 2
    assert hint in result.output


def test_every_group_is_of_that_kind() -> None:
    def groups(command: click.Command) -> list[click.Group]:
        if not isinstance(command, click.Group):
            return []
        context = click.Context(command)
        inner = [command.get_command(context, name) for name in command.list_commands(context)]
        return [command, *(group for one in inner if one is not None for group in groups(one))]

    found = groups(cli.cli)
    assert len(found) == len(GROUPS)
    assert all(isinstance(group, Group) for group in found)


@pytest.mark.parametrize("value", ["nowhere_to_be_found:command", "json:nothing", "json:dumps", "antigravity_exit:x"])
def test_a_plugin_that_cannot_be_imported_takes_no_other_command_with_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object, value: str
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    with open(f"{tmp_path}/antigravity_exit.py", "w") as file:
        file.write("raise SystemExit('no')")
    point = EntryPoint("broken", value, GROUP)
    monkeypatch.setattr(entrypoints, "names", lambda group: ["broken"])
    monkeypatch.setattr(entrypoints, "entry_point", lambda group, name: point if name == "broken" else None)
    group = LazyGroup("hubbub", context_settings=cli.cli.context_settings)
    result = CliRunner().invoke(group, ["--help"])
    assert (result.exit_code, result.exception) == (0, None)
    assert "\n  broken " in result.output
    assert "\n  status " in result.output
    for arguments in (["broken"], ["broken", "--help"], ["broken", "a", "-x", "--json"]):
        with pytest.raises(Unavailable, match="the command 'broken' of an installed package can't be"):
            group.main(arguments, standalone_mode=False)
