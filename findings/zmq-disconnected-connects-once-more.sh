#!/usr/bin/env bash
# libzmq 4.3.5: with a LINGER, a SUB socket that left an address goes on to try, connects, and swallows messages.
#
# Guessed: LINGER is about messages to be sent when a socket closes, so it does no harm to a socket that only receives, and
# after disconnect() that socket has nothing to do with the address any more.
# Found: if nobody has answered at the address yet, the subscriptions wait to be sent there. For as long as LINGER says libzmq
# tries on, connects, subscribes, and drops what it is sent. A publisher that sends as soon as it is subscribed to, as XPUB
# allows, sends into nothing. Who disconnects and connects again, so as to begin anew, has two connections then, of which one
# loses what comes. libzmq itself gives SUB a LINGER of 0, unlike the others: don't set it for all sockets alike.
set -eu
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
python3 -m venv "$directory/venv"
"$directory/venv/bin/pip" install --quiet --disable-pip-version-check pyzmq==27.3.0 2>/dev/null
"$directory/venv/bin/python" - "$directory" <<'PYTHON'
import sys

import zmq

print("pyzmq", zmq.__version__, "libzmq", zmq.zmq_version())
context = zmq.Context()


def subscribed_after(linger, name):
    """Whether a publisher is subscribed to by a socket that has left its address before."""
    address = f"ipc://{sys.argv[1]}/{name}"
    subscriber = context.socket(zmq.SUB)
    if linger is not None:
        subscriber.setsockopt(zmq.LINGER, linger)
    subscriber.setsockopt(zmq.SUBSCRIBE, b"")
    subscriber.connect(address)  # nobody is there
    subscriber.disconnect(address)
    publisher = context.socket(zmq.XPUB)
    publisher.bind(address)
    came = publisher.poll(3000) and publisher.recv() == b"\x01"
    if came:
        publisher.send(b"hello")
    received = subscriber.poll(1000)
    shown = "the default" if linger is None else f"{linger} ms"
    print(f"LINGER {shown}: subscribed {'yes' if came else 'no'}, received {'yes' if received else 'no'}")
    for socket in (subscriber, publisher):
        socket.close(linger=0)
    return bool(came), bool(received)


found = [subscribed_after(linger, f"s{number}") for number, linger in enumerate((None, 0, 20_000, -1))]
sys.exit(found != [(False, False), (False, False), (True, False), (True, False)])
PYTHON
