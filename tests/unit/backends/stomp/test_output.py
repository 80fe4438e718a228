from tests.unit.backends.stomp.server import Server


def block(server: Server) -> list[str]:
    """Send to a client that does not read until the kernel takes no more. Returns what its session is told."""
    session = server.session
    frame = b"MESSAGE\ncontent-length:50000\n\n" + b"x" * 50_000 + b"\0"
    for _ in range(1000):
        server.call(session.transport.send_all, [frame, frame])
        if all(server.call(lambda: server.connections.unread) for _ in range(10)):
            break
    assert session.told[-1] == "blocked"
    return session.told


def test_a_client_that_does_not_read_blocks_its_session_and_no_other(server: Server) -> None:
    slow, other = server.client(), server.client()
    slow.connect()
    session = server.session
    told = block(server)
    assert server.connections.unread >= 50_000
    other.connect()
    slow.send(b"SEND\n\n\0")  # it is still read
    server.wait(lambda: "SEND" in session.commands, "the SEND")
    server.advance(10)
    while told[-1] != "writable":
        slow.frame()
    assert server.connections.unread == 0
    server.advance(1000)
    assert told[-1] == "writable"


def test_who_never_reads_is_dropped_after_a_while(server: Server) -> None:
    server.client().connect()
    told = block(server)
    server.advance(60)
    assert told[-1] == "blocked"
    server.advance(20)
    assert told[-1].startswith("lost by the client: it has not read ")
    assert server.connections.ended == {"stuck": 1}
    server.gone()


def test_who_never_reads_is_dropped_when_too_much_waits(server: Server) -> None:
    server.client().connect()
    told = block(server)
    transport = server.session.transport
    server.call(transport.send, b"RECEIPT\nreceipt-id:1\n\n\0" * 400)
    assert told[-1] == "blocked"
    server.call(transport.send, b"RECEIPT\nreceipt-id:1\n\n\0" * 100)
    assert told[-1].startswith("lost by the client: it has not read ")
    server.gone()
