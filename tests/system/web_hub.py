"""A hub with the web page, and consumers that make a page worth looking at."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from tests.support import free_port
from tests.system.hubs import RunningHub

EVIL_TOPIC = "org.example.<script>window.evil=1</script>"
EVIL_BODY = "<img src=x onerror='window.evil=2'>"
EVIL_ERROR = "<b onmouseover=window.evil=3>no</b><script>window.evil=4</script>"
FRAGILE = f"""
from pathlib import Path
from hub import Consumer, Reject

class Fragile(Consumer):
    topics = ("org.example.fragile.#", "org.example.<script>#", "{EVIL_TOPIC}")

    def consume(self, message):
        if not Path("mended").exists():
            raise Reject({EVIL_ERROR!r})
"""


class WebHub(RunningHub):
    """``with WebHub(directory) as hub:``.

    :ivar url: of the page. :ivar read_only_url: of a second page, that changes nothing.
    """

    def __init__(self, directory: Path, delay: str = "100ms") -> None:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "fragile.py").write_text(FRAGILE)
        port, read_only_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{port}/"
        self.read_only_url = f"http://127.0.0.1:{read_only_port}/"
        endpoint = f"tcp://127.0.0.1:{free_port()}"
        configuration = f"""
            [hub]
            keep = "1h"
            [backends.bus]
            type = "zeromq"
            bind = ["{endpoint}"]
            publish_connect = ["{endpoint}"]
            [consumers.slow]
            type = "slow"
            topics = ["org.example.slow.#"]
            delay = "{delay}"
            [consumers.fragile]
            type = "fragile.py:Fragile"
            [consumers.archive]
            type = "slow"
            topics = ["#"]
            delay = 0
            [servers.web]
            type = "web"
            listen = "127.0.0.1:{port}"
            [servers.wall]
            type = "web"
            listen = "127.0.0.1:{read_only_port}"
            read_only = true
            token_file = "{directory}/wall.token"
        """
        super().__init__(directory, configuration)

    def __enter__(self) -> WebHub:
        super().__enter__()
        return self

    @property
    def token(self) -> str:
        """The one that actions need."""
        found: str = json.loads(self.command("web", "--json", "--server", "web").stdout)["token"]
        return found

    def address(self, route: str = "") -> str:
        """Of the page, with the token in it, as ``hubbub web`` shows it; or of one of its views, without."""
        return f"{self.url}{route}" if route else f"{self.url}#token={self.token}"

    def feed(self, messages: Iterable[tuple[str, object]]) -> None:
        """Topics and bodies."""
        file = self.directory / "messages.jsonl"
        file.write_text("".join(json.dumps({"topic": topic, "msg": body}) + "\n" for topic, body in messages))
        self.command("feed", str(file), "--quiet")
