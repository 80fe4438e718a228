"""References to secrets, so that the configuration holds no secret."""

from __future__ import annotations

import os
import re
from pathlib import Path

from hub.errors import ConfigError
from hub.filestate import FileState, file_state

_NAME = re.compile(
    r"passw|passphrase|pwd|secret|token|credential|bearer|(api|access|private|signing|auth)[_-]?key|(^|_)auth$",
    re.IGNORECASE,
)


def named_secret(name: str) -> bool:
    """True if a setting of that name must be treated as a secret."""
    return _NAME.search(name) is not None


class Secret(str):
    """Reference to a secret: ``file:/path`` or ``credential:name`` (systemd's). It never is the secret itself, so it
    may be shown, logged and compared."""

    @staticmethod
    def is_reference(value: object) -> bool:
        """True if a value is a reference to a secret."""
        if not isinstance(value, str):
            return False
        kind, _, place = value.partition(":")
        return (kind == "file" and place.startswith("/")) or (kind == "credential" and bool(place) and "/" not in place)

    def read(self) -> str:
        """Read the secret, without the newline at its end.

        :raises ConfigError: it can't be read. Caught where the part that needs it starts.
        """
        path = self.path()
        if path is None:
            raise ConfigError([f"{self}: systemd gave this process no credentials ($CREDENTIALS_DIRECTORY)"])
        try:
            return path.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError([f"{self}: the secret can't be read: {error}"]) from error

    def state(self) -> FileState | None:
        """The state of its file; ``None``: there is none. It differs once the secret has changed."""
        path = self.path()
        return None if path is None else file_state(path)

    def path(self) -> Path | None:
        """The file that holds it; ``None``: systemd gave this process no credentials."""
        kind, _, place = self.partition(":")
        if kind == "file":
            return Path(place)
        directory = os.environ.get("CREDENTIALS_DIRECTORY")
        return Path(directory) / place if directory else None
