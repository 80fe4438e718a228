"""The reference of the command has all that there is."""

from __future__ import annotations

from collections.abc import Iterator

import click

from docs.generate_command import PLACE, SHARED, render
from hub.cli import cli


def commands(context: click.Context) -> Iterator[tuple[str, click.Command]]:
    """All subcommands, however deep, with their paths."""
    group = context.command
    assert isinstance(group, click.Group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        inner = click.Context(command, info_name=name, parent=context)
        yield inner.command_path, command
        if isinstance(command, click.Group):
            yield from commands(inner)


COMMANDS = dict(commands(click.Context(cli, info_name="hubbub")))


def section(text: str, path: str) -> str:
    """What the page says of one of them."""
    start = text.index(f"\n{path}\n~") if f"\n{path}\n~" in text else text.index(f"\n{path}\n^")
    return text[start : text.index("\nhubbub", start + len(path) + 1) if "\nhubbub" in text[start + 9 :] else None]


def test_the_reference_of_the_command_is_that_of_the_command() -> None:
    assert PLACE.read_text(encoding="utf-8") == render(), "run: python -m docs.generate_command"


def test_no_subcommand_and_no_option_is_missing() -> None:
    text = render()
    assert {"hubbub top", "hubbub queue pause", "hubbub archive search"} <= set(COMMANDS)
    missing = [
        f"{path} {option.opts[-1]}"
        for path, command in COMMANDS.items()
        for option in command.params
        if isinstance(option, click.Option) and not option.hidden
        if option.opts[-1] not in section(text, path) and option.opts[0] not in section(text, path)
    ]
    assert missing == []
    assert all(f"``{names}``" in text for names in SHARED)


def test_whatever_shows_something_shows_it_as_json_too() -> None:
    asking = {path for path in COMMANDS if path.split()[1] in {"queue", "dead", "threads", "replay", "drain", "resume"}}
    without = {path for path in asking if "--json" not in {name for p in COMMANDS[path].params for name in p.opts}}
    assert without == {"hubbub queue", "hubbub dead"}, "only groups do without"
