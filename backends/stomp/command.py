"""Command ``hubbub stomp``: a hub that is only a STOMP server, and its users."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from hub.backends.stomp.login import write_user
from hub.cli.group import Group
from hub.cli.run import run_hub
from hub.statefiles import as_owner

STATE = "hubbub-stomp"
FILE = "hub.conf"
HEADER = """\
# Written by 'hubbub stomp' at each start. To change what it has no options for, copy this file, and 'hubbub run -c' it.
# The commands find the running hub by it: hubbub status -c {file}

"""


@click.group(cls=Group, invoke_without_command=True)
@click.option(
    "--listen",
    multiple=True,
    metavar="ADDRESS",
    help="127.0.0.1:61613, [::1]:61613 or unix:/path; may be given several times [default: 127.0.0.1:61613].",
)
@click.option(
    "--state-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where its queues are kept [default: hubbub-stomp in $XDG_STATE_HOME or ~/.local/state].",
)
@click.option(
    "--users-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Users with passwords, made by 'hubbub stomp passwd' [default: nobody needs a login].",
)
@click.option(
    "--keep",
    metavar="TIME",
    help="How long messages to topics are kept, for subscriptions with x-stream-offset: 2h, 7d [default: not at all].",
)
@click.pass_context
def stomp(
    context: click.Context, listen: Sequence[str], state_dir: Path | None, users_file: Path | None, keep: str | None
) -> None:
    """Run a hub that is only a STOMP server, without a configuration.

    Queues are durable, and kept in the state directory. SIGTERM or Ctrl-C stops it.
    """
    if context.invoked_subcommand is not None:
        return
    directory = (state_dir or default_state_dir()).absolute()
    file = write_configuration(directory, listen, None if users_file is None else users_file.absolute(), keep)
    click.echo(f"STOMP at {', '.join(listen) or '127.0.0.1:61613'}; hubbub status -c {file}", err=True)
    run_hub(file)


@stomp.command("passwd")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("name")
@click.option("--remove", is_flag=True, help="Remove the user.")
def passwd(file: Path, name: str, remove: bool) -> None:
    """Set the password of the user NAME in FILE, which is created if it is missing.

    The password is asked for, or read from standard input, one line. A hub that runs uses it from the next login on.
    """
    if remove:
        password = None
    elif sys.stdin.isatty():
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    directory = as_owner(file.parent.absolute()) if file.exists() else file.parent.absolute()
    write_user(directory / file.name, name, password)


def default_state_dir(environ: dict[str, str] | None = None) -> Path:
    """The state directory: systemd's, or one of the user's own."""
    found = os.environ if environ is None else environ
    if systemd := found.get("STATE_DIRECTORY"):
        return Path(systemd.partition(":")[0])
    base = found.get("XDG_STATE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".local" / "state") / STATE


def write_configuration(
    directory: Path, listen: Sequence[str], users_file: Path | None, keep: str | None = None
) -> Path:
    """Write the configuration into the state directory. :returns: the file. :raises OSError: it can't be written."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = directory / FILE
    lines = ["[hub]", f"state_dir = {_toml(str(directory))}"]
    if keep is not None:
        lines.append(f"keep = {_toml(keep)}")
    lines += ["", "[backends.stomp]", 'type = "stomp-server"']
    if listen:
        lines.append(f"listen = {_toml([*listen])}")
    if users_file is not None:
        lines.append(f"users_file = {_toml(str(users_file))}")
    new = file.with_name(f"{FILE}.new")
    new.write_text(HEADER.format(file=file) + "\n".join(lines) + "\n", encoding="utf-8")
    new.replace(file)
    return file


def _toml(value: object) -> str:
    """TOML's text of a string or a list of strings, which is JSON's."""
    return msgspec.json.encode(value).decode()
