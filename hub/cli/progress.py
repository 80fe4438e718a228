"""Progress bars of commands that take a while."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn


def progress_bar(columns: Iterable[ProgressColumn], quiet: bool, transient: bool = True) -> Progress:
    """Progress bar on standard error. It is shown only if that is a terminal and ``quiet`` is false."""
    console = Console(stderr=True)
    return Progress(*columns, console=console, disable=quiet or not console.is_terminal, transient=transient)


def watch_empty(left: Callable[[], Iterator[int]], quiet: bool) -> None:
    """Show a progress bar until a backlog is worked off. :param left: yields the number of messages left, last 0."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    most = 0
    with progress_bar(columns, quiet) as progress:
        task = progress.add_task("", total=None)
        for count in left():
            most = max(most, count)
            progress.update(task, total=max(most, 1), completed=most - count, description=f"{count} left")
