"""The token, and what the page shows without it, in a real Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from hub.monitoring.web.token import create
from tests.system.chromium import Chromium
from tests.system.web_hub import EVIL_ERROR, WebHub

pytestmark = pytest.mark.system

TOPIC = "org.example.fragile.a"
BASE64 = "q/8+Zm9v~.-_YmFyYmF6cXV4Zm9vYmFyYmF6cXV4=="
"""An operator's own; it has every character that a token may have beside letters and digits."""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    """One of its consumers has failed; the token of the page that changes nothing is the operator's own."""
    directory = tmp_path / "hub"
    made = WebHub(directory)
    token = directory / "wall.token"
    token.touch(mode=0o600)
    token.write_text(BASE64)
    with made:
        made.feed([(TOPIC, 1)])
        made.wait_for("fragile", "dead", 1)
        yield made


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    with Chromium() as running:
        yield running


def enter(page: Page, token: str) -> None:
    box = page.get_by_role("dialog").get_by_role("textbox")
    box.fill(token)
    box.press("Enter")


def test_the_text_of_an_error_is_shown_to_who_has_the_token(hub: WebHub, chromium: Chromium) -> None:
    with chromium.page(hub.url) as page:
        expect(page.get_by_role("row", name="fragile")).to_contain_text("Reject")
        expect(page.get_by_text(EVIL_ERROR)).to_have_count(0)
        page.get_by_role("link", name="fragile", exact=True).click()
        hint = page.get_by_text("and its message, are shown with the token")
        expect(hint).to_be_visible()
        page.get_by_role("button", name="Enter the token").click()
        enter(page, hub.token)
        card = page.get_by_role("region", name="Last error")
        expect(card).to_contain_text(EVIL_ERROR)
        expect(card).to_contain_text(TOPIC)
        expect(hint).to_have_count(0)
        page.get_by_role("button", name="token set: forget it").click()
        expect(hint).to_be_visible()
        assert EVIL_ERROR not in page.content()
        assert TOPIC not in card.inner_text()


def test_which_message_a_thread_has_is_shown_to_who_has_the_token(hub: WebHub, chromium: Chromium) -> None:
    with chromium.page(f"{hub.url}#/consumer/slow") as page:
        threads = page.get_by_role("region", name="Threads")
        expect(page.get_by_role("heading", name="Threads: 1")).to_be_visible()
        hub.feed(("org.example.slow.a", number) for number in range(200))
        expect(threads).to_contain_text("The topics and ids of these messages are shown with the token.")
        expect(threads).not_to_contain_text("org.example.slow.a")
        page.get_by_role("button", name="no token: enter it").click()
        enter(page, hub.token)
        expect(threads).to_contain_text("org.example.slow.a")


def test_the_link_opens_the_page_once_and_leaves_the_address_bar(hub: WebHub, chromium: Chromium) -> None:
    link = hub.command("web", "--server", "wall").stdout.strip()
    assert BASE64 not in link
    with chromium.page(link) as page:
        expect(page.get_by_role("row", name="fragile")).to_contain_text(EVIL_ERROR)
        assert page.url == f"{hub.read_only_url}#/"
        page.evaluate("() => { location.hash = '#token=mangled'; }")
        page.wait_for_url(f"{hub.read_only_url}#/")
        expect(page.get_by_role("button", name="token set: forget it")).to_be_visible()
    with chromium.page(link) as page:
        expect(page.get_by_text("this link was used")).to_be_visible()
        expect(page.get_by_role("button", name="no token: enter it")).to_be_visible()


def test_a_link_with_an_operators_own_token_leaves_the_address_bar(hub: WebHub, chromium: Chromium) -> None:
    with chromium.page(f"{hub.read_only_url}#token={BASE64}") as page:
        expect(page.get_by_role("row", name="fragile")).to_contain_text(EVIL_ERROR)
        assert page.url == f"{hub.read_only_url}#/"


def test_a_token_that_is_good_no_more_is_dropped_and_the_numbers_go_on(hub: WebHub, chromium: Chromium) -> None:
    with chromium.page(hub.address()) as page:
        expect(page.get_by_role("row", name="fragile")).to_contain_text(EVIL_ERROR)
        create(hub.directory / "state" / "web.token", replace=True)
        expect(page.get_by_text("The hub does not accept the token.")).to_be_visible()
        expect(page.get_by_text(EVIL_ERROR)).to_have_count(0)
        expect(page.get_by_text("Live", exact=True)).to_be_visible()
        expect(page.get_by_role("button", name="no token: enter it")).to_be_visible()


def test_a_wrong_token_is_refused_and_the_right_one_is_kept_for_the_tab(hub: WebHub, chromium: Chromium) -> None:
    with chromium.page(f"{hub.url}#/consumer/slow") as page:
        page.get_by_role("button", name="Pause", exact=True).click()
        box = page.get_by_role("dialog").get_by_role("textbox")
        box.fill("w" * 43)
        box.press("Enter")
        expect(page.get_by_text("The hub refused that token.")).to_be_visible()
        assert hub.consumer("slow")["state"] == "running"
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()
        page.get_by_role("button", name="Look").click()
        box.fill(hub.token)
        box.press("Enter")
        expect(page.get_by_text("No messages wait.")).to_be_visible()
        page.reload(wait_until="domcontentloaded")
        page.get_by_role("button", name="Look").click()
        expect(page.get_by_text("No messages wait.")).to_be_visible()


def test_a_character_that_turns_the_text_around_is_shown_as_an_escape(hub: WebHub, chromium: Chromium) -> None:
    hub.feed([("org.example.fragile.invoice\u202efdp", 1)])
    with chromium.page(f"{hub.url}#token={hub.token}") as page:
        expect(page.get_by_role("button", name="token set: forget it")).to_be_visible()
        page.evaluate("() => { location.hash = '#/consumer/fragile'; }")
        expect(page.get_by_text("invoice\\u202efdp").first).to_be_visible()
        assert "\u202e" not in page.content()
