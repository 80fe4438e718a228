"""Dialogs of ``hubbub top``: a question, and a text to read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static


class Question(ModalScreen[str | None]):
    """A question dialog. The result is the typed text, which may be empty, or ``None`` for no.

    :param field: hint of the input field; ``None``: the question has only yes and no.
    """

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "no", "no")]

    def __init__(self, question: str, field: str | None = None) -> None:
        super().__init__()
        self._question = question
        self._field = field

    def compose(self) -> ComposeResult:
        """Create the widgets (called by Textual)."""
        with Vertical(id="window"):
            yield Static(Text(self._question), id="question")
            if self._field is not None:
                yield Input(placeholder=self._field)
                yield Static(Text("Enter: yes    Esc: no", "dim"))
            else:
                yield Static(Text("y: yes    n: no", "dim"))

    def key_y(self) -> None:
        """Answer yes. Enter does not, because it is easily pressed by accident."""
        if self._field is None:
            self.dismiss("")

    def key_n(self) -> None:
        """Answer no."""
        if self._field is None:
            self.dismiss(None)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer with the text that was typed."""
        self.dismiss(event.value.strip())

    def action_no(self) -> None:
        """Answer no (the Escape key)."""
        self.dismiss(None)


class TextWindow(ModalScreen[None]):
    """A window with lines of text, which must be printable."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,q,enter,question_mark", "dismiss", "close")]

    def __init__(self, title: str, lines: Sequence[str]) -> None:
        super().__init__()
        self._title = title
        self._lines = lines

    def compose(self) -> ComposeResult:
        """Create the widgets (called by Textual)."""
        with VerticalScroll(id="window"):
            yield Static(Text(self._title, "bold"))
            yield Static(Text("\n".join(self._lines)), id="text")
            yield Static(Text("Esc: close", "dim"))
