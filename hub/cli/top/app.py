"""The live screen of ``hubbub top``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from hub.cli.remote import Remote
from hub.cli.top.base_screen import BaseScreen
from hub.cli.top.consumer import ConsumerScreen
from hub.cli.top.dialogs import TextWindow
from hub.cli.top.keys import HELP
from hub.cli.top.model import Model
from hub.cli.top.ordering import Ordering
from hub.cli.top.overview import Overview
from hub.cli.top.preferences import Preferences
from hub.errors import HubError

CSS = """
#head { height: auto; padding: 0 1; background: $panel; }
#facts { height: auto; padding: 1; }
.title { padding: 1 1 0 1; }
#consumers { height: 1fr; }
#letters { height: 1fr; }
#threads { height: auto; max-height: 12; }
#dead { height: 1fr; }
.old { opacity: 50%; }
Question, TextWindow { align: center middle; }
#window { width: 80%; max-width: 120; height: auto; max-height: 90%; padding: 1 2; border: round $primary; }
#window { background: $surface; }
#question, #text { height: auto; margin: 0 0 1 0; }
"""


class Top(Ordering):
    """The application: polls the status and owns the screens.

    :param watched: client for the status, with a short timeout: a dead hub should be noticed soon.
    :param remote: client for orders, with a longer timeout.
    :param interval: seconds between two polls.
    """

    CSS = CSS
    TITLE = "hubbub top"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        ("p", "pause", "pause"),
        ("d", "drain", "drain"),
        ("P", "purge", "purge"),
        ("plus", "threads(1)", "thread"),
        ("minus", "threads(-1)", "thread"),
        ("R", "reload", "reload"),
        ("question_mark", "help", "help"),
        ("q", "quit", "quit"),
        Binding("ctrl+c", "quit", show=False, priority=True),
    ]

    class Arrived(Message):
        """Message: the hub's status, or the problem if it did not answer."""

        def __init__(self, status: Mapping[str, Any] | None, problem: str = "") -> None:
            super().__init__()
            self.status = status
            self.problem = problem

    def __init__(
        self, watched: Remote, remote: Remote, model: Model, interval: float, preferences: Preferences
    ) -> None:
        super().__init__(remote, model)
        self._watched = watched
        self._interval = interval
        self._preferences = preferences
        self._asking = False

    def on_mount(self) -> None:
        """Start polling (called by Textual)."""
        self.push_screen(Overview(self.model))
        self.set_interval(self._interval, self.poll)
        self.poll()

    def poll(self) -> None:
        """Request the hub's status, unless a request is pending."""
        if not self._asking:
            self._asking = True
            self.run_worker(self._ask, thread=True, group="poll")

    def _ask(self) -> None:
        try:
            self.post_message(self.Arrived(self._watched.status()))
        except HubError as error:
            self.post_message(self.Arrived(None, str(error)))

    def on_top_arrived(self, event: Arrived) -> None:
        """Update the model and the screens from a status or a problem."""
        self._asking = False
        if event.status is None:
            self.model.unanswered(event.problem)
        else:
            self.model.answered(event.status)
        self.renew()

    def renew(self) -> None:
        """Update all screens from the model."""
        for screen in self.screen_stack:
            if isinstance(screen, BaseScreen):
                screen.draw(screen.renew)

    def on_overview_sorted(self) -> None:
        """Keep the sorting for the next start."""
        self._preferences.keep(self.model.sorting)

    def on_overview_chosen(self, event: Overview.Chosen) -> None:
        """Open the screen of the chosen consumer."""
        self.push_screen(ConsumerScreen(self.model, event.consumer))

    def action_help(self) -> None:
        """Show the keys and the meaning of the columns."""
        self.push_screen(TextWindow("hubbub top", HELP.splitlines()))
