"""A real Chromium that opens the hub's web page, and notes all that goes wrong in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.support import PATIENCE, ROOT, require

PROGRAM = Path("/usr/bin/chromium")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WEB = ROOT / "monitoring" / "web"
CHARTS = WEB / "static" / "vendor" / "uPlot.iife.min.js"
AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
WATCH = """
    window.violations = [];
    addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
        violations.push(`${violatedDirective} ${blockedURI}`);
    });
"""
EXPECTED = "the server responded with a status of 401"
"""The browser logs every answer of 4xx; a token that is asked for begins with one."""
SCAN = """
    async () => (await axe.run()).violations
        .filter((violation) => ['serious', 'critical'].includes(violation.impact))
        .map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.html).join(' | ').slice(0, 500)}`)
"""

expect.set_options(timeout=20_000 * PATIENCE)


class Chromium:
    """``with Chromium() as chromium:``."""

    def __init__(self) -> None:
        require(PROGRAM.exists(), "chromium is not installed")
        require(CHARTS.exists(), "the charts are not built: make charts")
        self._playwright: Playwright
        self.browser: Browser

    def __enter__(self) -> Chromium:
        self._manager = sync_playwright()
        self._playwright = self._manager.__enter__()
        self.browser = self._playwright.chromium.launch(executable_path=PROGRAM, args=list(FLAGS))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.browser.close()
        self._manager.__exit__(kind, error, trace)

    @contextmanager
    def page(
        self,
        url: str,
        tolerated: str = EXPECTED,
        before: Callable[[Page], object] = lambda page: None,
        wait_until: Literal["commit", "domcontentloaded"] = "domcontentloaded",
        **options: Any,
    ) -> Iterator[Page]:
        """A page of its own, with its own session. At the end nothing must have gone wrong in it.

        :param tolerated: a part of what the browser may log as an error. :param before: is called before it is loaded.
        """
        context = self.browser.new_context(**{"viewport": DESKTOP, **options})
        problems: list[str] = []
        page = context.new_page()
        page.set_default_timeout(20_000 * PATIENCE)
        page.add_init_script(WATCH)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda line: problems.append(line.text) if line.type in ("error", "warning") else None)
        pending = _pending(page)
        before(page)
        try:
            page.goto(url, wait_until=wait_until)
            try:
                page.get_by_role("heading", level=1).wait_for()
            except PlaywrightTimeout:
                pytest.fail(f"the page has no heading; it waits for {pending}, and says {problems}: {page.content()}")
            yield page
            problems += page.evaluate("window.violations")
            assert [problem for problem in problems if tolerated not in problem] == []
        finally:
            context.close()


def _pending(page: Page) -> list[str]:
    """The requests of a page that have no answer yet; it is kept up to date."""
    pending: list[str] = []
    page.on("request", lambda request: pending.append(request.url))
    for end in ("requestfinished", "requestfailed"):
        page.on(end, lambda request: pending.remove(request.url) if request.url in pending else None)
    return pending


def accessibility_problems(page: Page) -> list[str]:
    """What axe-core finds serious or critical in what is shown now. Needs a context with ``bypass_csp``."""
    require(AXE.exists(), "axe-core is not installed: monitoring/web/build.sh --dev")
    if not page.evaluate("'axe' in window"):
        page.add_script_tag(path=AXE)
    found: list[str] = page.evaluate(SCAN)
    return found
