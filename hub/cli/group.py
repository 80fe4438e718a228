"""Command groups: their help, and suggestions for a misspelt command."""

from __future__ import annotations

import click

from hub.text import first_sentence


class Group(click.Group):
    """Command group that lists whole first sentences, and suggests commands for an unknown name."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands. Long sentences are wrapped; click would cut them."""
        rows = [(name, self.summary(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, text in rows if text is not None])

    def summary(self, ctx: click.Context, name: str) -> str | None:
        """The first sentence of a command's help; ``None`` for a hidden command."""
        command = self.get_command(ctx, name)
        if command is None or command.hidden:
            return None
        return first_sentence(command.short_help or command.help or "")

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command. :raises click.UsageError: there is none of that name; suggests similar ones."""
        name = args[0]
        if not ctx.resilient_parsing and not name.startswith("-") and self.get_command(ctx, name) is None:
            import difflib

            close = difflib.get_close_matches(name, self.list_commands(ctx))
            hint = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
            raise click.UsageError(f"No such command {name!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)
