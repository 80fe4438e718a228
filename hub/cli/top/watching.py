"""What the screens of ``hubbub top`` have in common."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from textual.css.query import NoMatches
from textual.screen import Screen

from hub.cli.top.model import Model


class Watching(Screen[None]):
    """Shows a model, and is told when it is another.

    :ivar made: whether it has all of its parts, to be set by the screen itself.
    """

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model
        self.made = False

    @property
    def consumer(self) -> str | None:
        """Which consumer the keys are for; ``None``: none."""
        return None

    def renew(self) -> None:
        """The model is another."""

    def draw(self, work: Callable[[], None]) -> None:
        """Do it; but a screen that is still being made, or is being left, has not all of its parts, and is let be."""
        if self.made:
            with suppress(NoMatches):
                work()
