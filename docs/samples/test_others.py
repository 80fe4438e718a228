import sqlite3
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from rows import Rows
from totals import Totals
from webhook import Webhook

from hub.testing.bench import Benches


def test_a_tick_tells_the_totals_and_begins_anew(hubbub: Benches) -> None:
    bench = hubbub(Totals)
    for topic in ("a", "b", "a"):
        bench.deliver(topic, {})
    bench.run()
    bench.tick()
    bench.tick()
    assert [message.json() for message in bench.published] == [{"a": 2, "b": 1}, {}]


def test_many_threads_lose_no_count(hubbub: Benches) -> None:
    bench = hubbub(Totals)
    bench.deliver("a", {})
    bench.run()
    (message,) = bench.finished

    def work() -> None:
        for _ in range(1000):
            bench.consumer.consume(message)

    threads = [threading.Thread(target=work) for _ in "1234"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bench.consumer.counts == {"a": 4001}


def test_a_batch_that_comes_again_makes_no_second_rows(hubbub: Benches) -> None:
    bench = hubbub(Rows)
    for _ in "12":
        for id_ in ("7", "8", "9"):
            bench.deliver("a", {}, id=id_)
        bench.run()
    with sqlite3.connect(bench.consumer.database) as db:
        assert db.execute("select count(*) from rows").fetchone() == (3,)


class Handler(BaseHTTPRequestHandler):
    codes: list[int]
    seen: list[dict[str, str]]

    def do_POST(self) -> None:
        self.seen.append({name.lower(): value for name, value in self.headers.items()})
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.codes.pop(0))
        self.end_headers()


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    Handler.codes, Handler.seen = [], []
    with HTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def test_what_the_server_says_decides(hubbub: Benches, server: HTTPServer) -> None:
    Handler.codes = [200, 503, 404, 200]
    bench = hubbub(Webhook, url=f"http://127.0.0.1:{server.server_port}/")
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    bench.deliver("a", {}, {"traceparent": trace})
    bench.deliver("a", {})
    bench.deliver("a", {})
    bench.run()
    assert [message.id for message in bench.finished] == ["1"]
    assert Handler.seen[0]["traceparent"] == trace
    assert [(retry.message.id, retry.due_in) for retry in bench.retries] == [("2", 30.0)]
    assert [letter.reason for letter in bench.dead_letters] == ["the server says 404"]
    bench.advance(30)
    bench.run()
    assert [message.id for message in bench.finished] == ["1", "2"]


def test_messages_wait_for_a_server_that_is_away(hubbub: Benches) -> None:
    bench = hubbub(Webhook, url="http://127.0.0.1:9/", backoff="2s")
    bench.deliver("a", {})
    bench.run()
    assert [retry.due_in for retry in bench.retries] == [2.0]
