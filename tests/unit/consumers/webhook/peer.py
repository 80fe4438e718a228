"""A web server of our own that answers as each test wants: it fails, stalls, redirects, cuts off, and lies."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class Request:
    """A request that came."""

    line: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def path(self) -> str:
        return self.line.split(" ")[1]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Answer = bytes | float | None
"""Bytes to send; a number of seconds to say nothing; ``None``: close now."""
Behaviour = Callable[[Request], list[Answer]]


def answer(status: int, text: str = "", **headers: str) -> bytes:
    """An answer as bytes."""
    lines = [f"HTTP/1.1 {status} x", f"Content-Length: {len(text.encode())}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n" + text).encode()


@dataclass
class Peer:
    """The server. :ivar requests: all that came whole. :ivar behave: says how to answer; a test may change it."""

    port: int = 0
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    behave: Behaviour = lambda request: [OK]

    def url(self, path: str = "/", host: str = "127.0.0.1", scheme: str = "http") -> str:
        """A URL of this server."""
        return f"{scheme}://{host}:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.connections += 1
        number = self.connections
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            while (request := await _read(reader, number)) is not None:
                self.requests.append(request)
                for each in self.behave(request):
                    if each is None:
                        writer.close()
                        return
                    if isinstance(each, bytes):
                        writer.write(each)
                        await writer.drain()
                    else:
                        await asyncio.sleep(each)
        writer.close()


async def _read(reader: asyncio.StreamReader, connection: int) -> Request | None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *rest = head.removesuffix("\r\n\r\n").split("\r\n")
    headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in rest)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(line, headers, body, connection)


@contextmanager
def peer(host: str = "127.0.0.1", tls: ssl.SSLContext | None = None, port: int = 0) -> Iterator[Peer]:
    """Run a server in a thread of its own."""
    loop, found = asyncio.new_event_loop(), Peer()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def listen() -> asyncio.Server:
        return await asyncio.start_server(found.serve, host, port, ssl=tls, backlog=2000)

    async def close(server: asyncio.Server) -> None:
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    server = asyncio.run_coroutine_threadsafe(listen(), loop).result(10)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        asyncio.run_coroutine_threadsafe(close(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
