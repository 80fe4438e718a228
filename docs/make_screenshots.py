"""Makes docs/images/web-*.png: the web page of a real hub with some minutes of traffic, in a real Chromium.

Run from the checkout: ``.venv/bin/python -m docs.make_screenshots``. It takes three minutes.
"""

from __future__ import annotations

import json
import re
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.support import ROOT, free_port, wait_until
from tests.system.chromium import DESKTOP, PHONE, Chromium
from tests.system.hubs import RunningHub

IMAGES = ROOT / "docs" / "images"
LARGEST = 200_000
WIDE = {"width": 1440, "height": 760}
BURSTS = ((600, 30.0), (500, 18.0), (1000, 60.0))
"""Messages, and how many of them a second."""
TRICKLE = (280, 8.0)
"""The same, while the pictures are taken."""
QUIET = 20.0
AWARDS = """
import time
from hub import Consumer, Reject

class Awards(Consumer):
    topics = ("org.example.badges.#",)

    def consume(self, message):
        time.sleep(0.02)
        if message.json()["msg"]["number"] % 40 == 10:
            raise Reject("could not connect to the badges database: connection refused")
"""
TOPICS = ("org.example.git.push", "org.example.build.done", "org.example.badges.award", "org.example.wiki.edit")


def configuration(directory: Path, port: int) -> str:
    """A hub with consumers that do well, and some that do not."""
    (directory / "awards.py").write_text(AWARDS)
    slow = "".join(
        f'[consumers.{name}]\ntype = "slow"\ntopics = ["{topics}"]\nthreads = {threads}\ndelay = "{delay}"\n'
        for name, topics, threads, delay in (
            ("archive", "org.example.#", 1, "1ms"),
            ("notifications", "org.example.#", 2, "75ms"),
            ("irc", "org.example.git.#", 1, "100ms"),
            ("mirror", "org.example.build.#", 1, "50ms"),
            ("search", "org.example.wiki.#", 4, "900ms"),
            ("billing", "org.example.build.#", 1, "800ms"),
        )
    )
    endpoint = f"tcp://127.0.0.1:{free_port()}"
    return f"""
[hub]
keep = "1h"
[backends.bus]
type = "zeromq"
bind = ["{endpoint}"]
publish_connect = ["{endpoint}"]
[consumers.awards]
type = "awards.py:Awards"
{slow}
[servers.web]
type = "web"
listen = "127.0.0.1:{port}"
"""


def feed(hub: RunningHub, count: int, rate: float) -> None:
    """So many messages, so many a second."""
    burst = hub.directory / f"burst-{count}.jsonl"
    messages = [{"topic": TOPICS[number % len(TOPICS)], "msg": {"number": number}} for number in range(count)]
    burst.write_text("".join(json.dumps(message) + "\n" for message in messages))
    hub.command("feed", str(burst), "--quiet", "--rate", str(rate), timeout=120)


def shoot(page: Page, name: str, **options: Any) -> None:
    """Take the picture, without notices and without focus."""
    page.evaluate("document.activeElement.blur()")
    path = IMAGES / f"web-{name}.png"
    page.screenshot(path=path, **options)
    assert path.stat().st_size < LARGEST, f"{path} is too large"


def main() -> None:
    """Bursts, then the pictures while the last one drains."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="hubbub-") as name, Chromium() as chromium:
        directory = Path(name)
        with RunningHub(directory, configuration(directory, port)) as hub:
            time.sleep(QUIET)
            for count, rate in BURSTS[:-1]:
                feed(hub, count, rate)
                wait_until(lambda: hub.consumer("notifications")["backlog"] == 0, 120, "the backlog to drain")
                time.sleep(QUIET / 2)
            hub.client.post("/pause", {"consumer": "mirror", "until": time.time() + 1800})
            feed(hub, *BURSTS[-1])
            trickle = threading.Thread(target=feed, args=(hub, *TRICKLE))
            trickle.start()
            wait_until(lambda: hub.consumer("notifications")["trend"] == "catching_up", 30, "a prediction")
            token = json.loads(hub.command("web", "--json").stdout)["token"]
            pictures(chromium, f"http://127.0.0.1:{port}/", token)
            trickle.join()


def pictures(chromium: Chromium, url: str, token: str) -> None:
    """All of them, with the token: without it the page has no texts."""
    opened = f"{url}#token={token}"
    for scheme in ("light", "dark"):
        with chromium.page(opened, color_scheme=scheme, viewport=WIDE) as page:
            page.get_by_text(re.compile("clear at")).first.wait_for()
            shoot(page, scheme)
    with chromium.page(opened, viewport={**DESKTOP, "height": 1000}) as page:
        page.get_by_role("link", name="notifications", exact=True).click()
        page.get_by_text("(dashed)").wait_for()
        page.locator(".plot.rates canvas").wait_for()
        page.wait_for_timeout(1500)  # A status comes each second: then it is drawn, whatever it was before.
        shoot(page, "consumer")
    with chromium.page(opened, viewport=PHONE, is_mobile=True, device_scale_factor=1.5) as page:
        page.get_by_text(re.compile("clear at")).first.wait_for()
        shoot(page, "phone")
    with chromium.page(opened, viewport=DESKTOP, color_scheme="dark") as page:
        page.get_by_role("link", name="awards", exact=True).click()
        page.get_by_role("button", name="List").click()
        page.get_by_role("heading", name=re.compile("Dead letters: ")).evaluate("(heading) => heading.scrollIntoView()")
        shoot(page, "dead-letters")


if __name__ == "__main__":
    main()
