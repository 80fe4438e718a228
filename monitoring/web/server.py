"""The web server: the page, its live numbers and their history, health, metrics, and the hub's verbs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

from twisted.internet.defer import Deferred, DeferredList
from twisted.python.failure import Failure

from hub.interfaces import Clock, ServerContext
from hub.monitoring.web import static
from hub.monitoring.web.address import TcpAddress, parse
from hub.monitoring.web.api import Api
from hub.monitoring.web.aside import Aside
from hub.monitoring.web.events import Events
from hub.monitoring.web.guard import WebGuard
from hub.monitoring.web.history_file import HistoryFile
from hub.monitoring.web.holders import Holders
from hub.monitoring.web.hosts import Hosts
from hub.monitoring.web.listener import Listener
from hub.monitoring.web.login import Login
from hub.monitoring.web.pages import Health, HistoryPage, Metrics, Readiness, Root, SpikesPage, Status
from hub.monitoring.web.pulse import Pulse
from hub.monitoring.web.recorder import Recorder
from hub.monitoring.web.settings import WebConfig
from hub.monitoring.web.site import WebSite
from hub.monitoring.web.static import INDEX, Static
from hub.monitoring.web.token import TokenFile, token_path
from hub.monitoring.web.tokens import NamedTokens, tokens_path
from hub.monitoring.web.wrong_tokens import WrongTokens
from hub.settings import Settings

PATIENCE = 1.5
"""Seconds that a stop waits for the history to be written."""


class Web:
    """The live page, the HTTP API, the health checks and Prometheus' numbers, at one address.

    :param monotonic: seconds.
    """

    Config: ClassVar[type[Settings]] = WebConfig

    def __init__(self, context: ServerContext, monotonic: Clock = time.monotonic) -> None:
        config, reactor, log = context.config, context.reactor, context.log
        self._context = context
        self._state = "stopped"
        self._address = parse(config.listen)
        self._listener = Listener(self._address, int(config.mode, 8), reactor)
        self._wrong = WrongTokens(monotonic, log)
        self._token: TokenFile | None = None
        holders: Holders | None = None
        names = list(config.public_hosts)
        if isinstance(self._address, TcpAddress):
            path = token_path(config, context.state_dir)
            self._token = TokenFile(path, self._complain)
            named = NamedTokens(tokens_path(path), self._complain)
            holders = Holders(self._token, named, context.wall, config.session)
            names.append(self._address.host)
        anonymous = config.anonymous == "numbers"
        self._guard = WebGuard(Hosts(names), holders, config.read_only, self._wrong, context.audit, anonymous)
        self._pages = Aside(f"hubbub-web-{context.name}-pages", reactor)
        self._disk = Aside(f"hubbub-web-{context.name}-history", reactor)
        self._pulse = Pulse(context.snapshot, reactor, context.wall, monotonic, log)
        file = HistoryFile(history_path(context.name, context.state_dir))
        self._recorder = Recorder(file, self._disk, config.spike_from, context.wall, log)
        self._events = Events(self._pulse, self._guard, monotonic)
        self._site = WebSite(self._root(), reactor, self._guard.check, self._bug)
        self._pulse.listeners += [self._recorder.beat, lambda _: self._guard.end_stale()]

    def start(self) -> None:
        """Begin to listen.

        :raises ConfigError: the token's file, or the socket's, can't be made or used.
        :raises Unavailable: the address is in use, or not this machine's.
        """
        if self._token is not None:
            self._token.prepare()
        self._listener.listen(self._site)
        self._pages.start()
        self._disk.start()
        self._recorder.start()
        self._pulse.start()
        self._state = "listening"
        self._context.log.info("the web page is at %s", self._address, extra={"action": "listen"})
        if isinstance(self._address, TcpAddress) and not self._address.loopback:
            self._context.log.warning(
                "%s can be reached from other machines, and what passes, the token too, is not encrypted: "
                "put a reverse proxy with TLS before it, and listen on loopback",
                self._address,
                extra={"action": "listen"},
            )

    def stop(self) -> Deferred[Any]:
        """Listen no more, end the live pages, write the history; answers under way have a moment more."""
        self._state = "stopped"
        self._pulse.stop()
        closed = self._listener.close()
        self._events.close()
        self._site.hang_up()
        written = self._recorder.close()
        # A disk that hangs: the hub need not.
        written.addTimeout(PATIENCE, self._context.reactor).addErrback(lambda _: None)
        self._pages.close()
        return DeferredList([closed, written])

    def status(self) -> Mapping[str, Any]:
        """For the status of the hub."""
        return {
            "state": self._state,
            "address": str(self._address),
            "read_only": self._context.config.read_only,
            "connections": len(self._site.channels),
            "connections_refused": self._site.refused,
            "live_pages": len(self._events.streams),
            "live_pages_cut": self._events.cut,
            "wrong_tokens": self._wrong.count,
            "history": self._recorder.status(),
        }

    def _root(self) -> Root:
        files, reactor = static.read(), self._context.reactor
        status, verbs = Status(self._pulse, self._guard), self._context.api(self._guard)
        return Root(
            {
                "": Static(files, INDEX),
                "static": Static(files),
                "events": self._events,
                "login": Login(self._guard),
                "healthz": Health(self._pulse),
                "readyz": Readiness(self._pulse),
                "metrics": Metrics(self._pulse, self._pages),
                "history": HistoryPage(self._recorder, reactor, self._pages),
                "spikes": SpikesPage(self._recorder, reactor),
                "api": Api(verbs, status, self._pulse),
            }
        )

    def _complain(self, why: str) -> None:
        self._context.log.error("nobody can act through the web page: %s", why, extra={"action": "refuse"})

    def _bug(self, failure: Failure) -> None:
        trace: Any = (failure.type, failure.value, failure.getTracebackObject())
        self._context.log.error("the web server itself failed", exc_info=trace, extra={"action": "bug"})


def history_path(name: str, state_dir: Path) -> Path:
    """Where the server of that name keeps its history: two of them need a file each."""
    return state_dir / ("history.db" if name == "web" else f"history-{quote(name, safe='')}.db")
