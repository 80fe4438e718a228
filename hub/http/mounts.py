"""Mounts of plugins: verbs of running parts beside the hub's own, such as ``/consumers/mail/outbox``."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from hub.http.verb import Mounts, Verb


class PluginMounts:
    """Verbs of plugins, which the control socket and the web server serve. Belongs to the reactor's thread."""

    def __init__(self) -> None:
        self._mounts: dict[str, Sequence[Verb]] = {}

    def mount(self, section: str, name: str, verbs: Sequence[Verb]) -> None:
        """Serve a part's verbs below its section and name, in place of its former ones."""
        self.unmount(section, name)
        if verbs:
            self._mounts[_prefix(section, name)] = verbs

    def unmount(self, section: str, name: str) -> None:
        """Remove the verbs of a part."""
        self._mounts.pop(_prefix(section, name), None)

    def now(self) -> Mounts:
        """Verbs of all running parts."""
        return self._mounts


def _prefix(section: str, name: str) -> str:
    return f"{section}/{quote(name, safe='')}"
