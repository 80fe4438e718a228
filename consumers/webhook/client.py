"""The HTTP client: requests to many hosts at once, in one thread. It connects only to addresses that a guard allows."""

from __future__ import annotations

import asyncio
import errno
import io
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from hub import __version__
from hub.consumers.sending.outcome import ForGood, SendingFailed, Temporary
from hub.consumers.webhook.answer import Answer, HostFault
from hub.consumers.webhook.guard import Guard
from hub.consumers.webhook.mask import Mask

Result = TypeVar("Result")

LOOKUPS = 32
"""Threads that look up names of hosts, made as they are needed. A name has one at a time: aiohttp has later requests
join a look-up that is under way, and goes on with it after they have given up."""
LOOKUP_LASTS = 30
"""Seconds for which the addresses of a name are remembered. They were checked."""
MOST_READ = 64 << 10
"""Bytes of an answer that are read. The connection of a longer one is closed."""
MOST_KEPT = 16 << 10
REST_LIMIT = 2.0
"""Seconds for the body of an answer whose status is known."""
LARGE = 1 << 20
"""Bytes of a body from which on it is sent in pieces, so that other requests go on meanwhile."""
LEAVE_LIMIT = 5.0
"""Seconds that a stop waits for the thread."""
OF_OUR_MACHINE = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.EADDRNOTAVAIL}


class Client:
    """An HTTP client with a thread of its own. It follows no redirects, keeps no cookies, and asks no proxy.

    :param name: of its thread. :param time_limit: seconds for a whole request.
    :param mask: hides secrets, which hosts may repeat in their answers.
    """

    def __init__(
        self, name: str, guard: Guard, time_limit: float, ca_file: Path | None = None, mask: Mask | None = None
    ) -> None:
        self._guard = guard
        self._time_limit = time_limit
        self._tls = ssl.create_default_context(cafile=ca_file)
        self._mask = mask or Mask()
        self._loop = asyncio.new_event_loop()
        self._lookups = ThreadPoolExecutor(LOOKUPS, f"{name}-lookup")
        self._loop.set_default_executor(self._lookups)
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._resolver = _Resolver(guard)
        self._session: Any = None

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()
        try:
            self.begin(self._open()).result()
        except BaseException:
            self.stop()
            raise

    def begin(self, work: Coroutine[Any, Any, Result]) -> Future[Result]:
        """Begin work in the client's thread, from any other one. :returns: at once."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def stop(self) -> None:
        """Give up what is under way, close the connections, and end the thread."""
        with suppress(TimeoutError):
            self.begin(self._close()).result(LEAVE_LIMIT)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(LEAVE_LIMIT)
        self._lookups.shutdown(wait=False, cancel_futures=True)
        if not self._thread.is_alive():
            self._loop.close()

    async def post(self, name: str, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send one request, in the client's thread. :param name: of the host, for errors.

        :raises HostFault: the host does not answer. :raises Temporary: our machine can't send now, or its name was not
            looked up in time: the look-up may have waited for those of other names.
        :raises ForGood: no request can go there.
        """
        import aiohttp
        from yarl import URL

        goal = URL(url, encoded=True)
        data = io.BytesIO(body) if len(body) >= LARGE else body
        try:
            async with self._session.post(goal, data=data, headers=headers, allow_redirects=False) as response:
                text = await self._beginning_of(response)
                return Answer(response.status, str(response.headers.get("Retry-After", "")), text)
        except SendingFailed:
            raise
        except TimeoutError:
            if self._resolver.looks_up(goal.raw_host or ""):
                told = f"{name}: its name was not looked up within {self._time_limit:g} s"
                raise Temporary(told) from None
            raise HostFault(f"{name} has not answered within {self._time_limit:g} s") from None
        except (aiohttp.InvalidURL, UnicodeError):
            raise ForGood(f"no request can go to {name}: its URL is unusable") from None
        except (aiohttp.ClientError, OSError) as error:
            raise self._fault(name, error) from None

    def _fault(self, name: str, error: Exception) -> SendingFailed:
        text = self._mask.over(str(getattr(error, "message", None) or error))  # str() may have the URL
        told = f"{name}: {type(error).__name__}" + (f": {text}" if text else "")
        cause = getattr(error, "os_error", error)
        return (Temporary if getattr(cause, "errno", None) in OF_OUR_MACHINE else HostFault)(told)

    async def _beginning_of(self, response: Any) -> str:
        """The start of an answer's body. The status is known by then, so whatever happens here changes nothing."""
        import aiohttp

        found = bytearray()
        try:
            async with asyncio.timeout(REST_LIMIT):
                async for piece in response.content.iter_any():
                    found += piece
                    if len(found) > MOST_READ:
                        response.close()
                        break
        except (TimeoutError, aiohttp.ClientError, OSError):
            response.close()
        return self._mask.over(found[:MOST_KEPT].decode("utf-8", "replace"))

    async def _open(self) -> None:
        import aiohttp

        connector = aiohttp.TCPConnector(
            limit=0,  # Hosts has the limits
            ssl=self._tls,
            resolver=self._resolver,
            ttl_dns_cache=LOOKUP_LASTS,
            socket_factory=self._socket,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=self._time_limit),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            headers={"User-Agent": f"hubbub/{__version__}", "Accept-Encoding": "identity"},
        )

    def _socket(self, address: Any) -> socket.socket:
        """A socket for the address that will be connected to: the last look at it, also where a URL has a number."""
        family, kind, protocol, _, place = address
        self._guard.check(str(place[0]), str(place[0]))
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made

    async def _close(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        if self._session is not None:
            await self._session.close()


class _Resolver:
    """Looks up names, as aiohttp's ``AbstractResolver`` says, and leaves out addresses that are not allowed."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._under_way: Counter[str] = Counter()

    def looks_up(self, host: str) -> bool:
        """Tell whether a look-up of that name is under way, or waits for a thread. It goes on when its request has been
        given up."""
        return self._under_way[host.rstrip(".").lower()] > 0

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list[dict[str, Any]]:
        """The addresses of a host. :raises ForbiddenAddress: none of them is allowed. :raises OSError: it has none."""
        loop, name = asyncio.get_running_loop(), host.rstrip(".").lower()
        self._under_way[name] += 1
        try:
            found = await loop.getaddrinfo(host, port, family=socket.AddressFamily(family), type=socket.SOCK_STREAM)
        finally:
            self._under_way[name] -= 1
            if not self._under_way[name]:
                del self._under_way[name]
        flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        places = [(each, _numeric(place)) for each, _, _, _, place in found]
        allowed = [
            {"hostname": host, "host": number, "port": port, "family": each, "proto": 0, "flags": flags}
            for each, number in places
            if self._guard.allows(number)
        ]
        if not allowed and places:
            self._guard.check(host, places[0][1])
        return allowed

    async def close(self) -> None:
        """Nothing is open."""


def _numeric(place: Sequence[Any]) -> str:
    """The address; a link-local one of IPv6 with its zone."""
    address = str(place[0])
    return f"{address}%{place[3]}" if len(place) == 4 and place[3] and "%" not in address else address
