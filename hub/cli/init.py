"""``hubbub init``."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from hub.cli.common import json_option
from hub.cli.json_output import json_text
from hub.templates import TEMPLATES, Template, configuration

CONFIGURATION = "hub.conf"
MODE = 0o644


def template_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add a flag for each template. The command gets them as keyword arguments, by name."""
    for template in reversed(TEMPLATES):
        function = click.option(f"--{template.name}", is_flag=True, help=template.help)(function)
    return function


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), default=".", metavar="[DIR]")
@template_options
@click.option("--force", is_flag=True, help="Overwrite existing files.")
@json_option
def init(directory: Path, force: bool, as_json: bool, **chosen: bool) -> None:
    """Write a small hub.conf into DIR, and files for the programs beside the hub into directories of DIR.

    DIR is the current directory by default; it is created if it is missing. Existing files are overwritten only with
    --force: without it nothing is written, and the exit code is 73. With an option for such a program, an existing
    hub.conf stays as it is. The files name this installation's programs.
    """
    templates = [template for template in TEMPLATES if chosen[template.name]]
    wanted = {directory / template.name / name: text for template in templates for name, text in template.texts()}
    file = directory / CONFIGURATION
    if not templates or not os.path.lexists(file):
        wanted = {file: configuration(), **wanted}
    new = {path: text for path, text in wanted.items() if not _is_there(path, text)}
    if not force and (taken := [path for path in new if os.path.lexists(path)]):
        raise WouldOverwrite(taken)
    for path, text in new.items():
        _write(path, text)
    _tell(directory, list(new), list(wanted), templates, as_json)


class WouldOverwrite(click.ClickException):
    """Files exist that would be overwritten."""

    exit_code = os.EX_CANTCREAT

    def __init__(self, paths: Sequence[Path]) -> None:
        names = ", ".join(map(str, paths))
        super().__init__(f"nothing was written: {names} would be overwritten; --force does that")


def _is_there(path: Path, text: str) -> bool:
    return path.is_file() and not path.is_symlink() and path.read_bytes() == text.encode()


def _write(path: Path, text: str) -> None:
    """Write a file in the place of an existing one. A symbolic link is replaced, never followed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
    new.replace(path)


def _tell(
    directory: Path, new: Sequence[Path], wanted: Sequence[Path], templates: Sequence[Template], as_json: bool
) -> None:
    steps = {template.name: template.steps_for(directory / template.name) for template in templates}
    if as_json:
        same = [str(path) for path in wanted if path not in new]
        click.echo(json_text({"written": [str(path) for path in new], "unchanged": same, "next": steps}))
        return
    for path in wanted:
        click.echo(f"{path}: {'written' if path in new else 'unchanged'}")
    if not templates:
        option = "" if directory == Path() else f" -c {directory / CONFIGURATION}"
        click.echo(f"Next: hubbub check{option}, hubbub run{option}")
    for name, lines in steps.items():
        click.echo("\n".join([f"Next, for {name}:", *(f"  {line}" for line in lines)]))
