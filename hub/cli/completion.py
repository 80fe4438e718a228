"""``hubbub completion``."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

PROGRAM = "hubbub"
VARIABLE = "_HUBBUB_COMPLETE"
"""Environment variable that click's completion scripts set."""


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script for SHELL: it completes subcommands, options, and names of consumers.

    \b
    bash: hubbub completion bash > ~/.local/share/bash-completion/completions/hubbub
    zsh:  hubbub completion zsh > ~/.zfunc/_hubbub     (a directory of your fpath)
    fish: hubbub completion fish > ~/.config/fish/completions/hubbub.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(context.find_root().command, {}, PROGRAM, VARIABLE).source())
