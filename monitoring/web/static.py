"""The page's files: all that are in the package's ``static`` directory, and nothing else."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from twisted.web.http import CACHED
from twisted.web.resource import Resource
from twisted.web.server import Request

from hub.monitoring.web.request import problem

DIRECTORY = Path(__file__).with_name("static")
INDEX = "index.html"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}
"""What is served, as what. The browser is told not to guess."""


@dataclass(frozen=True)
class File:
    """One of them, in memory: the reactor never waits for the disk, and no path is ever made of what a client sends."""

    content: bytes
    type: str
    etag: bytes


def read(directory: Path = DIRECTORY) -> dict[str, File]:
    """By the path below ``directory``. :raises OSError: one can't be read."""
    found = {}
    for path in sorted(directory.rglob("*")):
        if path.suffix in TYPES and path.is_file():
            content = path.read_bytes()
            etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'.encode()
            found[path.relative_to(directory).as_posix()] = File(content, TYPES[path.suffix], etag)
    return found


class Static(Resource):
    """Serves them. :param only: the one file to serve; ``None``: that which the path names."""

    isLeaf = True

    def __init__(self, files: dict[str, File], only: str | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._files = files
        self._only = only

    def render_GET(self, request: Request) -> bytes:  # noqa: N802 - Twisted's name
        """The file, or that the browser has it already."""
        path = b"/".join(request.postpath or []).decode("utf-8", "replace")
        if self._only is not None:
            path = "" if request.postpath else self._only
        file = self._files.get(path)
        if file is None:
            return problem(request, 404, "there is no such file")
        request.setHeader(b"Content-Type", file.type.encode())
        # Asked for each time, sent only when it has changed: after an upgrade nobody runs half of the old page.
        request.setHeader(b"Cache-Control", b"no-cache")
        return b"" if request.setETag(file.etag) is CACHED else file.content
