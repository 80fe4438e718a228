"""The example page of the STOMP server, and @stomp/stompjs, as a web server gives them to a browser."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from playwright.sync_api import Page

from tests.node import npm_package
from tests.support import ROOT

PAGE = ROOT / "docs" / "samples" / "stomp.html"
REMOTE = re.compile(r"https://cdn\.jsdelivr\.net/npm/@stomp/stompjs@[\d.]+/bundles/stomp\.umd\.min\.js")
CLIENT = """
    ([url, destination, beat]) => {
        window.seen = { beats: 0, connected: 0, closed: 0, messages: [] };
        window.client = new StompJs.Client({
            brokerURL: url,
            heartbeatIncoming: beat,
            heartbeatOutgoing: beat,
            reconnectDelay: 200,
            discardWebsocketOnCommFailure: true,
            debug: (line) => { if (line === '<<< PONG') seen.beats += 1; },
            onConnect: () => {
                seen.connected += 1;
                client.subscribe(destination, (message) => {
                    seen.messages.push(message);
                    seen.bodies = seen.messages.map((one) => `${one.body} ${one.headers.redelivered ?? false}`);
                }, { ack: 'client-individual', id: 'mine' });
            },
            onWebSocketClose: () => { seen.closed += 1; },
        });
        client.activate();
    }
"""


@contextmanager
def example_page() -> Iterator[str]:
    """The page's URL; its query gives the STOMP server: ``?url=ws://...``."""
    library = npm_package("@stomp/stompjs") / "bundles" / "stomp.umd.min.js"

    class Handler(BaseHTTPRequestHandler):
        """Serves the page, and the library as the page's registry would; its checksum is the page's."""

        def do_GET(self) -> None:
            is_library = self.path == "/library.js"
            body = library.read_bytes() if is_library else REMOTE.sub("/library.js", PAGE.read_text()).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/javascript" if is_library else "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}/stomp.html"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def connect(page: Page, port: int, destination: str, beat: int) -> None:
    """A client of the test's own in the page: ``client``, and ``seen``, what became of it.

    :param beat: milliseconds between two heart-beats, both ways.
    """
    page.evaluate(CLIENT, [f"ws://127.0.0.1:{port}/", destination, beat])
    page.wait_for_function("seen.connected >= 1")
