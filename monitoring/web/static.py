"""Static files of the page: those in the package's ``static`` directory, and no others."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from twisted.web.http import CACHED, NOT_MODIFIED

from hub.errors import NotFound
from hub.http.verb import HTML, Call, Document, Verb

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
"""Content types by suffix; other files are not served. The browser is told not to guess."""


@dataclass(frozen=True)
class File:
    """File in memory: the reactor never waits for the disk, and no path is built from a client's input."""

    content: bytes
    type: str
    etag: bytes


def read(directory: Path = DIRECTORY) -> dict[str, File]:
    """Read all files, by their path below ``directory``. :raises OSError: one can't be read."""
    found = {}
    for path in sorted(directory.rglob("*")):
        if path.suffix in TYPES and path.is_file():
            content = path.read_bytes()
            etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'.encode()
            found[path.relative_to(directory).as_posix()] = File(content, TYPES[path.suffix], etag)
    return found


class FileOrder(msgspec.Struct, forbid_unknown_fields=True):
    """Path of a file below ``/static``."""

    path: str


class Static(Verb):
    """Serve a file of the page."""

    path, about, access, result, media = "static", "path", "open", str, "application/octet-stream"
    order = FileOrder

    def __init__(self, files: dict[str, File]) -> None:
        self._files = files

    def handle(self, call: Call) -> Document:
        """Return the file, or 304 if the browser has it."""
        return _serve(self._files, call.order.path, call.request)


class Index(Verb):
    """Serve the page."""

    path, access, result, media = "", "open", str, HTML

    def __init__(self, files: dict[str, File]) -> None:
        self._files = files

    def handle(self, call: Call) -> Document:
        """Return ``index.html``."""
        return _serve(self._files, INDEX, call.request)


def _serve(files: dict[str, File], path: str, request: Any) -> Document:
    file = files.get(path)
    if file is None:
        raise NotFound("there is no such file")
    # The browser revalidates each time: after an upgrade it never mixes files of two versions.
    request.setHeader(b"Cache-Control", b"no-cache")
    if request.setETag(file.etag) is CACHED:
        return Document(file.type, b"", NOT_MODIFIED)
    return Document(file.type, file.content)
