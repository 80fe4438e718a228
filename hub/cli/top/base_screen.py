"""Base class of the screens of ``hubbub top``."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from textual.css.query import NoMatches
from textual.screen import Screen

from hub.cli.top.model import Model


class BaseScreen(Screen[None]):
    """A screen that shows the model and is renewed when the model changes.

    :ivar made: whether all widgets exist; the screen itself sets it.
    """

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model
        self.made = False

    @property
    def consumer(self) -> str | None:
        """The consumer that the keys act on, if any."""
        return None

    def renew(self) -> None:
        """Update the widgets from the model."""

    def draw(self, work: Callable[[], None]) -> None:
        """Run ``work``, unless the screen is still being made or is being left: then widgets are missing."""
        if self.made:
            with suppress(NoMatches):
                work()
