"""Writes docs/command.rst from the commands themselves. Run by ``make docs`` and ``make man``; a test holds the file
against them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import click

from hub.cli import cli

PLACE = Path(__file__).with_name("command.rst")
HEAD = """\
The command
===========

Synopsis
--------

::

    hubbub COMMAND [OPTIONS] [ARGUMENTS]

Description
-----------

All that ``hubbub`` can be told. Made from the command itself; ``hubbub COMMAND --help`` says the same.

A command that asks a running hub finds it by the configuration file, which says where its control socket is. Names of
consumers are those of that file, whose settings `hub.conf(5) <settings.rst>`_ lists.

With ``--json`` a command prints JSON, an object or a line for each thing. ``hubbub completion`` has the shell complete
subcommands, options, and the names of consumers.

Options of most commands
------------------------

``-c, --config FILE``
    The configuration file [default: ./hub.conf, then /etc/hubbub/hub.conf].

``-s, --set PATH=VALUE``
    Override a setting; may be given again. `hub.conf(5) <settings.rst>`_ says how.

``--json``
    JSON, for programs.

``-h, --help``
    What the command does, and its options.

Commands
--------
"""
TAIL = """
Exit codes
----------

As in ``sysexits.h``: 0 done; 64 wrong use; 65 a message that the bus does not take; 66 an input is not there; 69 no hub
runs, or it can't do that now; 70 a bug; 74 an input or output error; 78 a mistake in the configuration; 130
interrupted. Where a command has codes of its own, it says so.

Environment
-----------

``HUBBUB_SECTION__NAME__SETTING`` sets what ``hub.conf`` could: see `hub.conf(5) <settings.rst>`_. ``HUBBUB_JOBS`` is
the database of ``hubbub job``. ``NO_COLOR`` has no colours printed.

Files
-----

``./hub.conf``, ``/etc/hubbub/hub.conf``
    The configuration file: the first of them that there is, unless ``--config`` names another.

``hub.conf.d/*.conf``
    Beside it: what is set over it.

``~/.local/state/hubbub/top.json``
    How the table of ``hubbub top`` is sorted.

Examples
--------

::

    hubbub top                                        # watch, and steer
    hubbub queue pause badges --until 14:30           # while the service that it calls is mended
    hubbub dead list badges --group                   # why messages died
    hubbub dead retry badges --error Timeout --canary 1
    hubbub replay archive --since 2h --topic 'org.example.#'
    hubbub drain --wait && systemctl stop hubbub      # leave nothing behind
    hubbub job queues --maxage 10m --quiet            # a line for cron
    hubbub top --json --interval 10 | jq .consumers.badges.backlog

See also
--------

`hub.conf(5) <settings.rst>`_
"""
TOP = """
.. figure:: images/top.svg
   :alt: hubbub top: a table of consumers with their backlogs, sparklines, rates, and when they will have caught up

   ``hubbub top``
"""
SHARED = {"-c, --config FILE": "-c", "-s, --set PATH=VALUE": "-s", "--json": "--json"}
"""Options that are explained once, as is --help, which all have."""
UNDERLINES = {1: "~", 2: "^", 3: '"'}


def render() -> str:
    """The whole page."""
    root = click.Context(cli, info_name="hubbub")
    return "".join([HEAD, *_commands(root, 1), TAIL])


def _commands(context: click.Context, depth: int) -> Iterator[str]:
    group = context.command
    assert isinstance(group, click.Group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        inner = click.Context(command, info_name=name, parent=context)
        yield _command(inner, depth)
        if isinstance(command, click.Group):
            yield from _commands(inner, depth + 1)


def _command(context: click.Context, depth: int) -> str:
    command, path = context.command, context.command_path
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    parts = [f"\n{path}\n{UNDERLINES[depth] * len(path)}\n\n", f"::\n\n    {usage}\n\n", _prose(command.help or "")]
    if path == "hubbub top":
        parts.append(TOP)
    records = [record for option in command.params if (record := option.get_help_record(context))]
    own = [(names, text) for names, text in records if text and names not in SHARED]
    parts += [f"\n``{names}``\n    {_inline(text)}\n" for names, text in own]
    shared = [f"``{SHARED[names]}``" for names, _ in records if names in SHARED]
    if shared:
        parts.append(f"\n{'Also' if own else 'Takes'}: {', '.join(shared)}.\n")
    if command.epilog:
        parts.append(f"\n{_prose(command.epilog)}")
    return "".join(parts)


def _prose(text: str) -> str:
    """Click's paragraphs: one that begins with a line of ``\\b`` stays as it was broken."""
    found = []
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        lines = paragraph.splitlines()
        if lines and lines[0] == "\b":
            found.append("::\n\n" + "\n".join(f"    {line}" for line in lines[1:]))
        else:
            found.append(_inline(paragraph))
    return "\n\n".join(found) + "\n"


def _inline(text: str) -> str:
    """Without what reStructuredText would take for markup; what stands in single quotes as code."""
    quoted = re.split(r"(?<!\w)'([^'\n]+)'(?!\w)", text)
    return "".join(
        f"``{part}``" if odd % 2 else re.sub(r"([*_`|\\])", r"\\\1", part) for odd, part in enumerate(quoted)
    )


if __name__ == "__main__":
    PLACE.write_text(render(), encoding="utf-8")
