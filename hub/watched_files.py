"""Watched files: small files that are read again when one of them changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from hub.errors import ConfigError
from hub.filestate import FileState, file_state

Content = TypeVar("Content")


class WatchedFiles(Generic[Content]):
    """The content of some files.

    :param read: reads the files, or raises ConfigError.
    :param complain: called once for each change after which they can't be used, with the reason.
    :param keeps: whether the last content stays while they can't be used; else there is none then.
    :ivar problem: why they can't be used; empty: they can.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        read: Callable[[], Content],
        complain: Callable[[str], None] = lambda reason: None,
        keeps: bool = False,
    ) -> None:
        self.problem = ""
        self._paths, self._read, self._complain, self._keeps = paths, read, complain, keeps
        self._content: Content | None = None
        self._seen: list[FileState | None] = [None] * len(paths)

    def load(self) -> Content:
        """Read the files now. :raises ConfigError: they can't be used."""
        self._seen = self._states()  # before they are read: a change in between is seen by the next look
        self._content, self.problem = self._read(), ""
        return self._content

    def content(self) -> Content | None:
        """The content of now; ``None``: the files are missing, or can't be used."""
        if self._states() != self._seen:
            try:
                return self.load()
            except ConfigError as error:
                self.problem = str(error)
                if not self._keeps:
                    self._content = None
                self._complain(self.problem)
        return self._content

    def _states(self) -> list[FileState | None]:
        return [file_state(path) for path in self._paths]
