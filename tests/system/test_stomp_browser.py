"""The example page of the STOMP server, with @stomp/stompjs, in a real Chromium over WebSocket."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support import free_port, wait_until
from tests.system.chromium import Chromium, accessibility_problems
from tests.system.hubs import RunningHub
from tests.system.stomp_page import connect, example_page

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with example_page() as url:
        yield url


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    with Chromium() as made:
        yield made


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def hub(tmp_path: Path, port: int) -> Iterator[RunningHub]:
    with RunningHub(tmp_path, configuration(tmp_path, port)) as running:
        yield running


def configuration(directory: Path, port: int, more: str = "") -> str:
    listen = f'[backends.stomp]\ntype = "stomp-server"\nlisten = ["127.0.0.1:{port}"]\n{more}'
    return f'[hub]\nstate_dir = "{directory / "state"}"\n\n{listen}'


def send(page: Page, destination: str, body: str) -> None:
    page.get_by_label("Send to").fill(destination)
    page.get_by_label("Body").fill(body)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("status")).to_have_text(f"sent to {destination}")


def subscribe(page: Page, destination: str) -> None:
    page.get_by_label("Subscribe to").fill(destination)
    page.get_by_role("button", name="Subscribe").click()


def test_pages_send_subscribe_and_acknowledge(chromium: Chromium, site: str, hub: RunningHub, port: int) -> None:
    url = f"{site}?url=ws://127.0.0.1:{port}/"
    with chromium.page(url, bypass_csp=True) as page, chromium.page(url) as other:
        for one in (page, other):
            expect(one.get_by_role("status")).to_have_text(f"connected to ws://127.0.0.1:{port}/")
        send(page, "/topic/org.example.a", "to \N{EURO SIGN} all")
        for one in (page, other):
            expect(one.get_by_role("listitem").first).to_have_text("/topic/org.example.a: to \N{EURO SIGN} all")
        subscribe(other, "/queue/jobs")
        send(page, "/queue/jobs", "x" * 50_000)
        expect(other.get_by_role("listitem").first).to_have_text("/queue/jobs: " + "x" * 50_000)
        wait_until(lambda: hub.status()["backends"]["stomp"]["acked"] >= 3, 20, "the acknowledgements")
        assert accessibility_problems(page) == []
        status = hub.status()["backends"]["stomp"]
        assert (status["peers"], status["errors"]) == (2, 0)


def test_a_page_connects_and_subscribes_again(chromium: Chromium, site: str, tmp_path: Path, port: int) -> None:
    url = f"{site}?url=ws://127.0.0.1:{port}/"
    running = RunningHub(tmp_path, configuration(tmp_path, port))
    with chromium.page(url, tolerated="") as page:
        expect(page.get_by_role("status")).to_contain_text("does not answer, trying again")
        for body in ("first", "second"):
            with running:
                expect(page.get_by_role("status")).to_have_text(re.compile("^connected to"), timeout=60_000)
                send(page, "/topic/org.example.a", body)
                expect(page.get_by_role("listitem").first).to_have_text(f"/topic/org.example.a: {body}")


def test_a_page_leaves_a_server_that_hangs_and_has_its_message_again(
    chromium: Chromium, site: str, hub: RunningHub, port: int
) -> None:
    """It misses the heart-beats; what it had not acknowledged comes again by the new connection."""
    with chromium.page(f"{site}?url=ws://127.0.0.1:{port}/", tolerated="") as page:
        connect(page, port, "/queue/jobs", beat=1000)
        send(page, "/queue/jobs", "job")
        page.wait_for_function("seen.bodies?.[0] === 'job false'")
        page.wait_for_function("seen.beats >= 2")
        hub.process.send_signal(signal.SIGSTOP)
        try:
            closed = page.evaluate("seen.closed")  # more than once where the machine hangs, too
            page.wait_for_function(f"seen.closed > {closed}")
        finally:
            hub.process.send_signal(signal.SIGCONT)
        page.wait_for_function(f"seen.connected > {closed + 1} && seen.bodies.at(-1) === 'job true'")

        def acknowledged() -> bool:
            page.evaluate("client.connected && seen.messages.at(-1).ack()")
            return bool(hub.consumer("jobs")["backlog"] == 0)

        wait_until(acknowledged, 20, "the acknowledgement")


def test_a_page_of_another_origin_is_refused(chromium: Chromium, site: str, tmp_path: Path, port: int) -> None:
    text = configuration(tmp_path, port, 'origins = ["https://example.org"]\n')
    with RunningHub(tmp_path, text) as hub, chromium.page(f"{site}?url=ws://127.0.0.1:{port}/", tolerated="") as page:
        expect(page.get_by_role("status")).to_contain_text("does not answer, trying again")
        wait_until(lambda: hub.status()["backends"]["stomp"]["disconnected"].get("websocket"), 20, "the refusal")
        wait_until(lambda: "pages of origin 'http://localhost:" in hub.log, 20, "its log line")
