"""Access to verbs: the rights they need, their callers, the guard and the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec

if TYPE_CHECKING:
    import msgspec

Right = Literal["numbers", "contents", "actions"]
"""Rights of a token: read counts and states; read the contents of messages and threads; make changes."""
Access = Literal["open", "numbers", "status", "contents", "actions"]
"""Access that a verb needs. ``open``: none, as its answer holds no numbers. ``status``: the right to numbers; a caller
with the right to contents is shown these too (:attr:`Caller.contents`). The others: the right of that name."""


class Caller(msgspec.Struct, frozen=True):
    """The caller of a verb. :ivar name: for the audit log. :ivar contents: true if contents may be shown."""

    name: str
    contents: bool = False

    def __str__(self) -> str:
        return self.name


class Guard(Protocol):
    """A guard decides who may use a verb."""

    def who(self, request: Any) -> str:
        """The caller's name for the audit log, as far as known, whether admitted or not."""

    def admit(self, request: Any, access: Access, any_host: bool = False, any_origin: bool = False) -> Caller:
        """Admit a caller. Called once for each request, whatever its path. :param any_host: see
        :attr:`hub.http.verb.Verb.any_host`. :param any_origin: see :attr:`hub.http.verb.Verb.any_origin`.

        :raises Forbidden: the caller lacks the right.
        """


class Auditor(Protocol):
    """An auditor records actions and their callers."""

    def note(self, who: str, action: str, order: msgspec.Struct | None, outcome: str) -> None:
        """Record one action, with its order."""

    def refused(self, who: str, action: str, why: str) -> None:
        """Record a request that was refused before its action. Equal ones are counted."""

    def read(self, who: str, action: str) -> None:
        """Record that contents were read. Equal reads are counted."""
