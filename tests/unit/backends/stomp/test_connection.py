import struct
from pathlib import Path

from hub.backends.stomp.connection import LINGER
from hub.backends.stomp.frame import Version
from hub.backends.stomp.heartbeat import Beats
from hub.backends.stomp.options import SHORTEST
from tests.conftest import ReactorThread
from tests.unit.backends.stomp.server import CONNECT, Server, running

BEATS = b"CONNECT\naccept-version:1.2\nheart-beat:4000,4000\n\n\0"


def test_frames_come_and_go(server: Server) -> None:
    client = server.client()
    assert client.connect().headers == {"version": "1.2", "heart-beat": "0,0"}
    sends = b"SEND\ndestination:/queue/a\nreceipt:1\n\nhello\0\nSEND\nreceipt:2\n\n\0"
    client.send(sends)
    assert [client.frame().headers["receipt-id"] for _ in range(2)] == ["1", "2"]
    assert server.session.commands == ["CONNECT", "SEND", "SEND"]
    transport = server.session.transport
    assert transport.peer == "{}:{}".format(*client.socket.getsockname())
    assert transport.loopback
    assert (transport.encrypted, transport.certificate, transport.version) == (False, None, Version.V12)
    assert server.connections.received_bytes == len(CONNECT + sends)


def test_the_frames_of_a_segment_are_read_together(server: Server) -> None:
    client = server.client()
    client.connect()
    client.send(b"SEND\n\n\0" * 200 + b"SEND\nreceipt:1\n\n\0")
    client.frame()
    session = server.session
    assert len(session.frames) == 202
    assert session.reads <= 4


def test_byte_by_byte(server: Server) -> None:
    client = server.client()
    for byte in CONNECT + b"\n\r\nSEND\nreceipt:1\n\n\0":
        client.send(bytes([byte]))
    assert [client.frame().command for _ in range(2)] == ["CONNECTED", "RECEIPT"]


def test_a_client_that_closes(server: Server) -> None:
    client = server.client()
    client.connect()
    client.send(b"SEND\n\nlast\0")
    client.socket.close()
    server.gone()
    assert server.session.frames[-1].body == b"last"
    (told,) = server.session.told
    assert told.startswith("lost by the client: Connection was closed cleanly")


def test_a_client_that_is_torn_away(server: Server) -> None:
    client = server.client()
    client.connect()
    client.socket.setsockopt(1, 13, struct.pack("ii", 1, 0))  # SO_LINGER: a reset
    client.socket.close()
    server.gone()
    (told,) = server.session.told
    assert told.startswith("lost by the client: Connection to the other side was lost")


def test_an_error_names_the_frame_and_is_read_though_more_was_sent(server: Server) -> None:
    client = server.client()
    client.connect()
    client.send(b"SEND\n\n\0BAD\nreceipt:7\n\n\0" + b"SEND\n\nnever\0" * 5000)
    error = client.frame()
    assert error.command == "ERROR"
    assert error.headers["message"] == "BAD is unknown: expected something good"
    assert error.headers["receipt-id"] == "7"
    assert error.body == b"BAD is unknown: expected something good"
    assert client.rest() == b""
    session = server.session
    assert session.commands == ["CONNECT", "SEND", "BAD"]
    assert session.reads == 2  # the SEND before it counts
    assert session.told == ["lost: BAD is unknown: expected something good"]
    assert server.connections.ended == {"protocol": 1}
    assert "BAD is unknown" in server.log.lines()[0]


def test_a_frame_that_can_t_be_parsed_has_no_receipt(server: Server) -> None:
    client = server.client()
    client.connect()
    client.send(b"SEND\nreceipt:7\n\n\0SEND\nreceipt:8\nodd\n\n\0")
    assert client.frame().headers == {"receipt-id": "7"}
    error = client.frame()
    assert error.headers["message"] == "header 'odd' has no colon: expected 'name:value'"
    assert "receipt-id" not in error.headers


def test_the_error_before_a_version_is_agreed_on_has_no_escapes(server: Server) -> None:
    client = server.client()
    client.send(b"SEND\na:\\t\n\n\0")
    assert b"header 'a:\\t' has '\\t'" in client.rest()
    assert server.sessions == []


def test_a_bug_ends_one_connection_and_is_logged_with_its_traceback(server: Server) -> None:
    client = server.client()
    client.connect()
    client.send(b"BUG\n\n\0")
    assert client.frame().headers["message"] == "internal error"
    assert client.rest() == b""
    assert any(record.exc_info for record in server.log.records)
    server.client().connect()


def test_the_session_closes(server: Server) -> None:
    client = server.client()
    client.connect()
    client.send(b"DISCONNECT\nreceipt:bye\n\n\0SEND\n\nnever\0")
    assert client.frame().headers == {"receipt-id": "bye"}
    assert client.rest() == b""
    assert server.session.commands == ["CONNECT", "DISCONNECT"]
    assert server.session.told == ["lost: closed by the server"]
    client.socket.close()
    server.gone()


def test_a_client_that_does_not_close_is_cut(server: Server) -> None:
    client = server.client()
    client.connect()
    client.send(b"DISCONNECT\n\n\0")
    client.frame()
    assert client.rest() == b""
    server.advance(LINGER + 0.1)
    server.gone()


def test_abort(server: Server) -> None:
    client = server.client()
    client.connect()
    server.call(server.session.transport.abort)
    assert client.rest() == b""
    assert server.session.told == ["lost: cut by the server"]


def test_all_is_quiet_after_the_end(server: Server) -> None:
    client = server.client()
    client.connect()
    transport = server.session.transport
    server.call(transport.close)
    for again in (transport.close, transport.abort, transport.pause, transport.resume):
        server.call(again)
    server.call(transport.send, b"RECEIPT\n\n\0")
    server.call(transport.send_all, [b"RECEIPT\n\n\0"])
    assert client.rest() == b""
    assert len(server.session.told) == 1


def test_a_paused_connection_passes_and_reads_nothing(server: Server) -> None:
    client = server.client()
    client.connect()
    client.send(b"PAUSE\n\n\0SEND\n\n1\0")
    server.wait(lambda: "PAUSE" in server.session.commands, "the pause")
    client.send(b"SEND\n\n2\0SEND\nreceipt:1\n\n3\0")
    server.advance(60)
    assert server.session.commands == ["CONNECT", "PAUSE"]
    server.call(server.session.transport.resume)
    client.frame()
    assert [frame.body for frame in server.session.frames[2:]] == [b"1", b"2", b"3"]


def test_a_resumed_connection_may_pause_again(server: Server) -> None:
    client = server.client()
    client.connect()
    client.send(b"PAUSE\n\n\0PAUSE\n\n\0SEND\nreceipt:1\n\n\0")
    for count in (1, 2):
        server.wait(lambda count=count: server.session.commands.count("PAUSE") == count, "the pause")  # type: ignore[misc]
        server.call(server.session.transport.resume)
    client.frame()
    assert server.session.commands == ["CONNECT", "PAUSE", "PAUSE", "SEND"]


def test_a_paused_connection_can_be_closed(server: Server) -> None:
    client = server.client()
    client.connect()
    client.send(b"PAUSE\n\n\0" + b"SEND\n\n\0" * 1000)
    server.wait(lambda: "PAUSE" in server.session.commands, "the pause")
    server.call(server.session.transport.close, b"RECEIPT\nreceipt-id:1\n\n\0")
    assert client.frame().headers == {"receipt-id": "1"}
    assert client.rest() == b""
    client.socket.close()
    server.gone()


def test_a_connection_may_be_closed_by_a_frame_that_was_held(server: Server) -> None:
    client = server.client()
    client.connect()
    client.send(b"PAUSE\n\n\0DISCONNECT\n\n\0" + b"SEND\n\n\0" * 10_000)
    server.wait(lambda: "PAUSE" in server.session.commands, "the pause")
    server.call(server.session.transport.resume)
    assert client.frame().command == "RECEIPT"
    assert client.rest() == b""
    client.socket.close()
    server.gone()


def test_the_error_of_a_broken_stream_waits_for_the_receipts_of_what_came_before(server: Server) -> None:
    client = server.client()
    client.connect()
    server.session.waits = True
    client.send(b"SEND\n\n\0SEND\nno colon\n\n\0SEND\n\n\0")
    server.wait(lambda: server.session.end is not None, "the fault to be noticed")
    client.send(b"SEND\n\n\0")
    assert server.connections.ended == {}
    end = server.session.end
    assert end is not None
    server.call(end)
    assert client.frame().command == "ERROR"
    assert client.rest() == b""
    assert (server.session.commands, server.connections.ended) == (["CONNECT", "SEND"], {"protocol": 1})


def test_beats_by_the_clock(server: Server) -> None:
    client = server.client()
    assert client.connect(BEATS).headers["heart-beat"] == "4000,4000"
    server.advance(3.9)
    client.send(b"\n")
    server.advance(0.2)
    assert [client.socket.recv(1) for _ in range(2)] == [b"\n", b"\n"]
    server.advance(7.8)
    assert server.session.told == []
    server.advance(1)
    error = client.frame()
    assert "sent nothing for 8." in error.headers["message"]
    assert client.rest() == b""
    assert server.connections.ended == {"silent": 1}
    assert server.session.told == [f"lost by the client: {error.headers['message']}"]


def test_no_beats_before_connected_and_none_for_who_wants_none(server: Server) -> None:
    client = server.client()
    server.advance(9)
    client.connect()
    server.advance(10_000)
    client.send(b"SEND\nreceipt:1\n\n\0")
    assert client.socket.recv(100) == b"RECEIPT\nreceipt-id:1\n\n\0"


def test_the_time_of_a_pause_is_not_silence(server: Server) -> None:
    client = server.client()
    client.connect(BEATS)
    client.send(b"PAUSE\n\n\0")
    server.wait(lambda: "PAUSE" in server.session.commands, "the pause")
    server.advance(60)
    server.call(server.session.transport.resume)
    server.advance(7.9)
    assert server.session.told == []


def test_shorter_beats_than_the_server_s_are_not_agreed_on(reactor_thread: ReactorThread) -> None:
    with running(reactor_thread, beats=Beats(5000, 6000)) as server:
        assert server.client().connect(BEATS).headers["heart-beat"] == "5000,6000"
    assert Beats(1000, 1000) == SHORTEST


def test_a_socket_that_only_opens_is_closed(server: Server) -> None:
    client = server.client()
    client.send(b"\n\nCONN")
    server.wait(lambda: server.connections.received_bytes > 0, "the first bytes")
    server.advance(9.9)
    assert len(server.connections) == 1
    server.advance(0.2)
    assert b"message:no login within 10 s\n" in client.rest()
    assert server.connections.ended == {"login": 1}


def test_too_many_connections(server: Server) -> None:
    clients = [server.client() for _ in range(5)]
    for client in clients:
        client.connect()
    refused = server.client()
    refused.send(CONNECT)
    assert b"message:there are 5 connections: no more are accepted\n" in refused.rest()
    refused.socket.close()
    clients[0].socket.close()
    server.wait(lambda: len(server.connections) == 4, "the end of both")
    server.client().connect()


def test_tls_on_a_plain_port_is_told(server: Server) -> None:
    client = server.client()
    client.send(bytes([0x16, 3, 1, 2, 0, 1, 0]))
    assert b"message:this port has no TLS, and the client begins with it\n" in client.rest()
    assert server.connections.ended == {"tls": 1}


def test_a_unix_socket(reactor_thread: ReactorThread, tmp_path: Path) -> None:
    with running(reactor_thread, tmp_path / "stomp") as server:
        client = server.client()
        client.connect()
        transport = server.session.transport
        assert transport.loopback
        assert ", pid " in transport.peer
        client.send(b"BAD\n\n\0")
        assert client.frame().command == "ERROR"
        assert client.rest() == b""


def test_the_server_stops(server: Server) -> None:
    clients = [server.client() for _ in range(3)]
    for client in clients:
        client.connect()
    assert len(server.call(server.connections.descriptors)) == 3
    stopped = server.connections.stop
    ends = server.call(lambda: [stopped()])[0]
    for client in clients:
        assert client.frame().headers["message"] == "the server stops: connect again later"
        assert client.rest() == b""
    assert not ends.called
    late = server.client()
    assert late.rest() == b""
    server.advance(LINGER + 0.1)
    server.gone()
    assert ends.called


def test_the_kernel_watches_clients_that_want_no_beats(server: Server) -> None:
    server.client().connect()
    connection = server.session.transport
    sock = connection.transport.getHandle()  # type: ignore[attr-defined]
    assert sock.getsockopt(1, 9) == 1  # SO_KEEPALIVE
    assert sock.getsockopt(6, 4) == 60  # TCP_KEEPIDLE
    assert sock.getsockopt(6, 1) == 1  # TCP_NODELAY
