#!/usr/bin/env bash
# pika 1.4.4, adapter for Twisted: when a broker has gone silent, "closed" fires with "Connection was closed cleanly"; and if
# there is data to send to the broker, it does not fire at all while the broker is silent.
#
# Guessed: with a heartbeat of 2 seconds, a broker that has sent nothing for 4 is taken for dead: the connection is closed,
# and "closed" of TwistedProtocolConnection fires with AMQPHeartbeatTimeout, as BlockingConnection raises it.
# Found: three things.
# - "closed" fires with Twisted's ConnectionDone. It takes the place of whatever reason pika had: of AMQPHeartbeatTimeout,
#   and of what the broker says when it closes the connection itself, such as "503 COMMAND_INVALID".
# - It fires up to 2 x (heartbeat + 5) seconds after the broker went silent, here 14: pika, with any adapter, looks each
#   heartbeat + 5 seconds whether anything has come since it looked last.
# - With more to send than the kernel takes, it doesn't fire while the broker is silent: is_open stays true, what is
#   published is accepted, and no confirm fires or fails. For pika stops its heartbeat checker and calls loseConnection(),
#   with which Twisted waits until all is sent.
# So who publishes with this adapter gives makeConnection() a transport whose loseConnection() notes pika's reason, and calls
# abortConnection() if that is AMQPHeartbeatTimeout.
# The broker is a real one that gets SIGSTOP. Takes 1 to 2 minutes. Needs Debian 12's apt-get, for packages that are only
# unpacked; processes of its own on loopback ports of its own.
set -eu
export LC_ALL=C
directory=$(mktemp -d)
chmod 755 "$directory"
cd "$directory"
mapper= node=
trap 'for one in $node $mapper; do kill "$one" && kill -CONT "$one" && wait "$one" || true; done 2>/dev/null
    rm -rf "$directory"' EXIT
ERLANG=1:25.2.3+dfsg-1+deb12u4
packages=(rabbitmq-server=3.10.8-1.1+deb12u1)
for part in base asn1 crypto eldap ftp inets mnesia os-mon parsetools public-key runtime-tools snmp ssl syntax-tools tftp \
    tools xmerl; do
    packages+=("erlang-$part=$ERLANG")
done
apt-get -qq download "${packages[@]}" 2>/dev/null
for package in *.deb; do dpkg -x "$package" root; done
sed -i "s#=/usr/lib/erlang\$#=$directory/root/usr/lib/erlang#" root/usr/lib/erlang/bin/erl
export PATH="$directory/root/usr/lib/erlang/bin:$(echo "$directory"/root/usr/lib/erlang/erts-*/bin):$PATH"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check pika==1.4.4 twisted==26.10.0 2>/dev/null

free() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
export HOME=$directory ERL_EPMD_PORT ERL_EPMD_ADDRESS=127.0.0.1 RUNNING_UNDER_SYSTEMD=1
ERL_EPMD_PORT=$(free)
export RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_CONFIG_FILE=$directory/rabbitmq.conf
export RABBITMQ_ADVANCED_CONFIG_FILE=$directory/advanced.config RABBITMQ_ENABLED_PLUGINS_FILE=$directory/plugins
export RABBITMQ_NODENAME=finding@localhost RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_NODE_PORT RABBITMQ_DIST_PORT
RABBITMQ_NODE_PORT=$(free) RABBITMQ_DIST_PORT=$(free)
export RABBITMQ_MNESIA_BASE=$directory/mnesia RABBITMQ_LOG_BASE=$directory/log RABBITMQ_LOGS=$directory/log/log
export RABBITMQ_PID_FILE=$directory/pid
export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1}"
: >rabbitmq.conf
echo "[]." >plugins
epmd -port "$ERL_EPMD_PORT" -address 127.0.0.1 >epmd.out 2>&1 &
mapper=$!
sbin=root/usr/lib/rabbitmq/lib/rabbitmq_server-3.10.8/sbin
"$sbin/rabbitmq-server" >>server.out 2>&1 &
node=$!

venv/bin/python - "$RABBITMQ_NODE_PORT" "$node" <<'PYTHON' || { tail -n 20 server.out log/log; exit 1; }
import os
import signal
import sys
import time
from importlib.metadata import version

import pika
from pika.adapters.twisted_connection import TwistedProtocolConnection
from pika.exceptions import AMQPError
from twisted.internet import protocol, task, threads
from twisted.internet.defer import Deferred

PORT, NODE, HEARTBEAT, MIB, PATIENCE = int(sys.argv[1]), int(sys.argv[2]), 2, 1 << 20, 30
PARAMETERS = pika.ConnectionParameters("127.0.0.1", PORT, heartbeat=HEARTBEAT)


def blocking():
    deadline = time.monotonic() + 120
    while True:
        try:
            return pika.BlockingConnection(PARAMETERS)
        except (OSError, AMQPError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def error_of(call):
    """The error with which it ends, and when."""
    try:
        while True:
            call()
    except AMQPError as error:
        return repr(error), time.monotonic()


async def connected(reactor):
    creator = protocol.ClientCreator(reactor, TwistedProtocolConnection, PARAMETERS)
    connection = await creator.connectTCP("127.0.0.1", PORT)
    await connection.ready
    channel = await connection.channel()
    return connection, channel


def ended(connection):
    """A Deferred of what ``closed`` fires with, and when."""
    end = Deferred()
    connection.closed.addCallback(lambda reason: end.callback((f"{reason!r}: {reason}", time.monotonic())))
    return end


async def main(reactor):
    print(f"pika {version('pika')}, Twisted {version('twisted')}, RabbitMQ 3.10.8, a heartbeat of {HEARTBEAT} s")
    channel = blocking().channel()
    refused, _ = error_of(lambda: channel.exchange_declare("x", "no-such-type"))
    print("the broker closes. BlockingConnection:", refused)
    connection, channel = await connected(reactor)
    end = ended(connection)
    channel.exchange_declare("x", "no-such-type").addErrback(lambda _: None)
    twisted_refused, _ = await end
    print("the broker closes. Twisted:", twisted_refused)

    other = blocking()
    idle, _ = await connected(reactor)
    publisher, channel = await connected(reactor)
    await channel.confirm_delivery()
    idle_end, publisher_end, confirmed = ended(idle), ended(publisher), []
    os.kill(NODE, signal.SIGSTOP)
    start = time.monotonic()
    for _ in range(32):
        channel.basic_publish("", "nowhere", bytes(MIB)).addBoth(confirmed.append)
    silent, at = await threads.deferToThread(error_of, lambda: other.process_data_events(1))
    print(f"silent. BlockingConnection, after {at - start:.1f} s:", silent)
    twisted_silent, at = await idle_end
    noticed = at - start
    print(f"silent. Twisted, after {noticed:.1f} s:", twisted_silent)
    await task.deferLater(reactor, max(0, start + PATIENCE - time.monotonic()), lambda: None)
    channel.basic_publish("", "nowhere", b"more").addBoth(confirmed.append)
    closed, is_open, confirms = publisher_end.called, publisher.is_open, len(confirmed)
    print(f"silent. Twisted with 32 MiB to send, after {time.monotonic() - start:.1f} s: closed has fired: {closed},")
    print(f"  is_open: {is_open}, one more was published, confirms that fired or failed: {confirms}")
    os.kill(NODE, signal.SIGCONT)
    going_on, _ = await publisher_end
    print("the broker goes on. Twisted with 32 MiB to send:", going_on)
    done = "ConnectionDone(): Connection was closed cleanly."
    assert "503" in refused and twisted_refused == done
    assert "AMQPHeartbeatTimeout" in silent and twisted_silent == done
    assert noticed > 3 * HEARTBEAT
    assert (closed, is_open, confirms) == (False, True, 0)


task.react(lambda reactor: Deferred.fromCoroutine(main(reactor)))
PYTHON
