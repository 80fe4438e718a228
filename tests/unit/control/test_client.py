"""The client, where there is no hub or something else."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hub.control.client import Client
from hub.errors import OrderRefused, Unavailable

Serve = Callable[[bytes], Client]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """A server that says one thing to whoever comes, and hangs up."""
    listener = socket.socket(socket.AF_UNIX)
    path = tmp_path / "hub.sock"
    listener.bind(str(path))
    listener.listen()

    def serving(answer: bytes) -> Client:
        def run() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.recv(65536)
                peer.sendall(answer)

        threading.Thread(target=run, daemon=True).start()
        return Client(path, timeout=10.0)

    yield serving
    listener.close()


def http(status: str, body: bytes) -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status.encode(), len(body), body)


def first_line(client: Client) -> object:
    return next(client.lines("/tail"))


CALLS: list[Callable[[Client], object]] = [lambda client: client.get("/status"), first_line]


@pytest.mark.parametrize("call", CALLS)
def test_no_socket_is_no_hub(tmp_path: Path, call: Callable[[Client], object]) -> None:
    with pytest.raises(Unavailable, match="no hub is running"):
        call(Client(tmp_path / "hub.sock"))


@pytest.mark.parametrize("call", CALLS)
def test_a_stale_socket_is_no_hub(tmp_path: Path, call: Callable[[Client], object]) -> None:
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(tmp_path / "hub.sock"))
    with pytest.raises(Unavailable, match="no hub is running"):
        call(Client(tmp_path / "hub.sock"))


@pytest.mark.parametrize("call", CALLS)
def test_a_path_that_is_too_long_for_a_socket_is_unavailable(tmp_path: Path, call: Callable[[Client], object]) -> None:
    with pytest.raises(Unavailable, match="too long"):
        call(Client(tmp_path / ("x" * 200)))


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("answer", [b"", b"+PONG\r\n"])
def test_what_hangs_up_or_speaks_otherwise_is_unavailable(
    serve: Serve, answer: bytes, call: Callable[[Client], object]
) -> None:
    with pytest.raises(Unavailable, match="did not answer"):
        call(serve(answer))


def test_what_answers_something_else_is_no_hub(serve: Serve) -> None:
    with pytest.raises(Unavailable, match="is not a hub: HTTP 200"):
        serve(http("200 OK", b"<html>")).get("/status")


def test_a_refusal_is_told_in_the_hubs_words(serve: Serve) -> None:
    with pytest.raises(OrderRefused, match="one\ntwo"):
        serve(http("409 Conflict", b'{"problems": ["one", "two"]}')).get("/x")


def test_a_refusal_without_words_names_its_number(serve: Serve) -> None:
    with pytest.raises(OrderRefused, match="HTTP 500"):
        serve(http("500 Oops", b"{}")).get("/x")


def test_a_hub_that_does_not_answer_in_time_is_unavailable(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "hub.sock"))
        silent.listen()
        with pytest.raises(Unavailable, match="did not answer"):
            Client(tmp_path / "hub.sock", timeout=0.05).get("/status")


def test_lines_are_read_until_the_hub_hangs_up(serve: Serve) -> None:
    client = serve(http("200 OK", b'{"n": 1}\n{"n": 2}\n'))
    assert list(client.lines("/tail", pattern="a.#")) == [{"n": 1}, {"n": 2}]


def test_lines_of_a_refusal_are_a_refusal(serve: Serve) -> None:
    with pytest.raises(OrderRefused, match="no"):
        first_line(serve(http("404 Not Found", b'{"problems": ["no"]}')))


def test_an_answer_that_is_cut_is_none(serve: Serve) -> None:
    with pytest.raises(Unavailable, match="did not answer"):
        serve(b'HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n{"a": 1}').get("/status")


def test_an_answer_ends_where_its_length_says(serve: Serve) -> None:
    assert serve(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}more").get("/status") == {}


def test_an_answer_without_a_length_ends_with_the_connection(serve: Serve) -> None:
    assert serve(b"HTTP/1.0 200 OK\n\n[1]").get("/status") == [1]


@pytest.mark.parametrize("head", [b"x: y\r\n" * 200, b"x: " + b"y" * 70_000 + b"\r\n"])
def test_a_head_that_is_too_large_is_no_answer(serve: Serve, head: bytes) -> None:
    with pytest.raises(Unavailable, match="did not answer"):
        serve(b"HTTP/1.0 200 OK\r\n" + head).get("/status")


def test_a_line_that_is_cut_is_not_told(serve: Serve) -> None:
    assert list(serve(b'HTTP/1.0 200 OK\r\n\r\n{"n": 1}\n{"n":').lines("/tail")) == [{"n": 1}]


@pytest.mark.parametrize("path", ["/dead/a b", "/dead/a\r\nX: y", "/dead/ä"])
def test_a_path_that_is_none_is_not_sent(tmp_path: Path, path: str) -> None:
    with pytest.raises(Unavailable, match="did not answer"):
        Client(tmp_path / "hub.sock").get(path)
