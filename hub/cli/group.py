"""Groups of commands: what their help shows, and what a command that was misspelt is told."""

from __future__ import annotations

import difflib
import re

import click


class Group(click.Group):
    """Lists each command with its whole first sentence, and suggests a command for one that there is not."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Click cuts what does not fit on a line; this goes on in the next one."""
        found = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        rows = [(name, first_sentence(one)) for name, one in found.items() if one is not None and not one.hidden]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """:raises click.UsageError: there is no such command, with those that it may have meant."""
        name = args[0]
        if not ctx.resilient_parsing and not name.startswith("-") and self.get_command(ctx, name) is None:
            close = difflib.get_close_matches(name, self.list_commands(ctx))
            hint = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
            raise click.UsageError(f"No such command {name!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)


def first_sentence(command: click.Command) -> str:
    """What a command does, on one line, without the stop."""
    text = " ".join((command.short_help or command.help or "").split())
    return re.split(r"\.(?:\s|$)", text, maxsplit=1)[0]
