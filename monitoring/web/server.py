"""Web server: the page, its live numbers and their history, health, metrics, and the hub's verbs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

from twisted.internet.defer import Deferred, DeferredList
from twisted.python.failure import Failure

from hub.address import TcpAddress, parse
from hub.http.api import Api
from hub.http.verb import Verb
from hub.interfaces import Clock, ServerContext
from hub.listener import Listener
from hub.monitoring.web import static
from hub.monitoring.web.auth_failures import AuthFailures
from hub.monitoring.web.events import Events
from hub.monitoring.web.guard import WebGuard
from hub.monitoring.web.history_file import HistoryFile
from hub.monitoring.web.holders import Holders
from hub.monitoring.web.hosts import Hosts
from hub.monitoring.web.login import Login
from hub.monitoring.web.pages import Health, History, Metrics, Readiness, Spikes, Status
from hub.monitoring.web.recorder import Recorder
from hub.monitoring.web.sampler import Sampler
from hub.monitoring.web.settings import WebConfig
from hub.monitoring.web.site import WebSite
from hub.monitoring.web.static import Index, Static
from hub.monitoring.web.token import TokenFile, token_path
from hub.monitoring.web.tokens import NamedTokens, tokens_path
from hub.monitoring.web.worker_thread import WorkerThread
from hub.settings import Settings

PATIENCE = 1.5
"""Seconds that a stop waits at most until the history is written."""


class Web:
    """Serve the live page, the HTTP API, the health checks and Prometheus' numbers, at one address.

    :param monotonic: returns seconds.
    """

    Config: ClassVar[type[Settings]] = WebConfig

    def __init__(self, context: ServerContext, monotonic: Clock = time.monotonic) -> None:
        config, reactor, log = context.config, context.reactor, context.log
        self._context = context
        self._state = "stopped"
        self._address = parse(config.listen)
        self._listener = Listener(self._address, int(config.mode, 8), reactor)
        self._failures = AuthFailures(monotonic, log)
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
        self._guard = WebGuard(Hosts(names), holders, config.read_only, self._failures, context.audit, anonymous)
        self._pages = WorkerThread(f"hubbub-web-{context.name}-pages", reactor)
        self._disk = WorkerThread(f"hubbub-web-{context.name}-history", reactor)
        self._sampler = Sampler(context.snapshot, reactor, context.wall, monotonic, log)
        file = HistoryFile(history_path(context.name, context.state_dir))
        self._recorder = Recorder(file, self._disk, config.spike_from, context.wall, log)
        self._events = Events(self._sampler, self._guard.trusts, monotonic)
        self._site = WebSite(self._api(), reactor, self._bug)
        self._sampler.listeners += [self._recorder.record, self._tidy]

    def start(self) -> None:
        """Start listening.

        :raises ConfigError: the token's file, or the socket's, can't be created or used.
        :raises Unavailable: the address is in use, or not this machine's.
        """
        if self._token is not None:
            self._token.prepare()
        self._listener.listen(self._site)
        self._pages.start()
        self._disk.start()
        self._recorder.start()
        self._sampler.start()
        self._state = "listening"
        self._context.log.info("the web page is at %s", self._address, extra={"action": "listen"})
        if isinstance(self._address, TcpAddress) and not self._address.loopback:
            self._context.log.warning(
                "%s can be reached from other machines, and the traffic, tokens included, is not encrypted: "
                "listen on loopback, behind a reverse proxy with TLS",
                self._address,
                extra={"action": "listen"},
            )

    def stop(self) -> Deferred[Any]:
        """Stop listening, close the live pages, and write the history; running answers have a moment more."""
        self._state = "stopped"
        self._sampler.stop()
        closed = self._listener.close()
        self._events.close()
        self._site.hang_up()
        written = self._recorder.close()
        # The disk may hang; the hub must not.
        written.addTimeout(PATIENCE, self._context.reactor).addErrback(lambda _: None)
        self._pages.close()
        return DeferredList([closed, written])

    def status(self) -> Mapping[str, Any]:
        """State of the server for the hub's status."""
        return {
            "state": self._state,
            "address": str(self._address),
            "read_only": self._context.config.read_only,
            "connections": len(self._site.channels),
            "connections_refused": self._site.refused,
            "live_pages": len(self._events.streams),
            "live_pages_cut": self._events.cut,
            "wrong_tokens": self._failures.count,
            "history": self._recorder.status(),
        }

    def _api(self) -> Api:
        context, sampler, reactor = self._context, self._sampler, self._context.reactor
        files = static.read()
        status = Status(sampler)
        own: list[Verb] = [
            Index(files),
            Static(files),
            self._events,
            Login(self._guard.log_in),
            Health(sampler),
            Readiness(sampler),
            Metrics(sampler, self._pages),
            History(self._recorder, reactor),
            Spikes(self._recorder, reactor),
        ]
        hubs = [status, *(verb for verb in context.verbs if verb.path != status.path)]
        crowded = lambda size: self._site.crowded(size)  # noqa: E731 - the site is made after it
        mounts = {"": own, "api": hubs}
        return Api(self._guard, context.audit, context.log, mounts, "api", context.plugins, sampler.outdate, crowded)

    def _tidy(self, _: object) -> None:
        self._guard.end_stale()
        self._failures.flush()

    def _complain(self, why: str) -> None:
        self._context.log.error("no action is possible through the web page: %s", why, extra={"action": "refuse"})

    def _bug(self, failure: Failure) -> None:
        trace: Any = (failure.type, failure.value, failure.getTracebackObject())
        self._context.log.error("internal error in the web server", exc_info=trace, extra={"action": "bug"})


def history_path(name: str, state_dir: Path) -> Path:
    """Path of a server's history file; each server has its own."""
    return state_dir / ("history.db" if name == "web" else f"history-{quote(name, safe='')}.db")
