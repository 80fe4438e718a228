"""Fixtures for all tests: the one global reactor, in a thread of its own, for those that need real sockets."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import settings
from twisted.internet import reactor as twisted_reactor
from twisted.internet.threads import blockingCallFromThread

from tests.leftovers import Leftovers
from tests.support import NEEDS_ROOT, PATIENCE, STRICT

# What CI says depends on the commit alone. Each run elsewhere looks at other examples.
settings.register_profile("hubbub", deadline=None, print_blob=True, derandomize=os.environ.get("CI") == "true")
settings.load_profile("hubbub")


class ReactorThread:
    """The running reactor, seen from a test's thread."""

    def __init__(self, reactor: Any) -> None:
        self.reactor = reactor

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call it in the reactor's thread, and wait for its result, also where that is a Deferred."""
        return blockingCallFromThread(self.reactor, function, *arguments)


@pytest.fixture(scope="session")
def reactor_thread() -> Iterator[ReactorThread]:
    """A reactor can be run once in a process, so all tests share it."""
    reactor: Any = twisted_reactor
    running = threading.Event()
    reactor.callWhenRunning(running.set)
    thread = threading.Thread(target=reactor.run, kwargs={"installSignalHandlers": False}, daemon=True, name="reactor")
    thread.start()
    assert running.wait(10)
    yield ReactorThread(reactor)
    reactor.callFromThread(reactor.stop)
    thread.join(10)
    assert not thread.is_alive()


def pytest_configure(config: pytest.Config) -> None:
    """No test leaves a process. What tests start ends on Ctrl-C, also where a shell put them in the background, and so
    made them ignore it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    config.pluginmanager.register(Leftovers(5.0 * PATIENCE))


@pytest.hookimpl
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A test as a whole has as many times its limit as what it waits for has."""
    for item in items:
        marker = item.get_closest_marker("timeout")
        limit = float(marker.args[0] if marker is not None else config.getini("timeout"))
        item.add_marker(pytest.mark.timeout(limit * PATIENCE), append=False)


@pytest.hookimpl
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where every test has to run, a skipped one is a failure, but for what only root may run."""
    if _not_run(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name them."""
    for report in _not_run(config):
        terminalreporter.line(f"skipped where every test has to run: {report.nodeid}: {report.longreprtext}", red=True)


def _not_run(config: pytest.Config) -> list[pytest.TestReport]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if STRICT and reporter is not None else []
    return [report for report in skipped if NEEDS_ROOT not in report.longreprtext]
