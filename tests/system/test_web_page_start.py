"""The page begins whatever the first answers are like: late, lost, or none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support import wait_until
from tests.system.chromium import Chromium
from tests.system.web_hub import WebHub

pytestmark = pytest.mark.system
LOST = "net::ERR_"
"""The browser logs each request that fails."""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebHub]:
    directory: Path = tmp_path_factory.mktemp("start") / "hub"
    with WebHub(directory) as running:
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    with Chromium() as running:
        yield running


def test_the_page_waits_for_neither_its_history_nor_the_catalogue(hub: WebHub, chromium: Chromium) -> None:
    """Requests that nobody answers: what comes each second is shown all the same."""
    held: list[Route] = []

    def hold(page: Page) -> None:
        for path in ("**/history?*", "**/api/catalogue"):
            page.route(path, lambda route: held.append(route))

    with chromium.page(hub.address(), before=hold) as page:
        assert len(held) == 2
        expect(page.get_by_role("row", name="slow")).to_be_visible()
        for route in held:
            route.continue_()


def test_what_the_page_begins_with_is_asked_for_again(hub: WebHub, chromium: Chromium) -> None:
    refused: list[str] = []

    def refuse(route: Route) -> None:
        refused.append(route.request.url)
        if len(refused) <= 2:
            route.abort()
        else:
            route.continue_()

    def before(page: Page) -> None:
        page.route("**/history?*", refuse)

    with chromium.page(hub.address(), tolerated=LOST, before=before) as page:
        with page.expect_response("**/history?*") as answer:
            pass
        assert answer.value.ok
        assert len(refused) == 3


def test_a_part_of_the_page_that_is_lost_on_its_way_is_loaded_again(hub: WebHub, chromium: Chromium) -> None:
    """A browser asks no second time for a module that failed: without help the page would wait for ever."""
    lost: list[str] = []

    def lose(route: Route) -> None:
        lost.append(route.request.url)
        if len(lost) == 1:
            route.abort()
        else:
            route.continue_()

    with chromium.page(
        hub.address(), tolerated=LOST, before=lambda page: page.route("**/js/view/row.js", lose)
    ) as page:
        expect(page.get_by_role("row", name="slow")).to_be_visible()
        assert len(lost) == 2
        assert page.evaluate("sessionStorage.getItem('hubbub.reloads')") is None


def test_a_part_of_the_page_that_never_comes_is_asked_for_again(hub: WebHub, chromium: Chromium) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)
        if len(held) > 1:
            route.continue_()

    def before(page: Page) -> None:
        page.add_init_script("const later = setTimeout; window.setTimeout = (call, ms) => later(call, ms / 30);")
        page.route("**/js/view/row.js", hold)

    with chromium.page(hub.address(), wait_until="commit", before=before) as page:
        expect(page.get_by_role("row", name="slow")).to_be_visible()
        assert len(held) == 2


def test_a_page_that_can_never_be_loaded_is_not_loaded_for_ever(hub: WebHub, chromium: Chromium) -> None:
    asked: list[str] = []

    def lose(route: Route) -> None:
        asked.append(route.request.url)
        route.abort()

    context = chromium.browser.new_context()
    page = context.new_page()
    page.add_init_script("const later = setTimeout; window.setTimeout = (call, ms) => later(call, ms / 30);")
    page.route("**/js/view/row.js", lose)
    page.goto(hub.address(), wait_until="commit")
    # The last attempt is the sixth; none follows it, however long the page stands.

    def tried() -> bool:
        page.wait_for_timeout(50)  # Playwright makes its calls while it waits
        return len(asked) >= 6

    wait_until(tried, 60, "all attempts")
    page.wait_for_timeout(1000)
    assert len(asked) == 6
    context.close()
