#!/usr/bin/env bash
# RabbitMQ 3.10.8: a durable queue that was declared, and persistent messages in it that the broker has confirmed, are now
# and then gone after kill -9, if that comes soon after the declaration.
#
# Guessed: declare-ok and the confirm of a persistent message say that the durable queue and the message outlive the death
# of the broker's process: each is written before the answer, and without a loss of power nothing that was written is lost.
# Found: in about one of eight kills right after the confirm, the node comes back without the queue ("404 NOT_FOUND - no
# queue"), and so without its messages. Queues that are older come back, with all that was confirmed. Seen with AMQP (pika)
# and with the STOMP plugin, whose SEND declares the queue.
# So who makes queues as he goes, or takes a confirm into a new queue for safe, loses messages: declare queues ahead.
# Chance decides: up to 80 kills, each of a new queue. Needs Debian 12's apt-get, for packages that are only unpacked;
# processes of its own on loopback ports of its own.
set -eu
export LC_ALL=C
directory=$(mktemp -d)
chmod 755 "$directory"
cd "$directory"
mapper= node=
trap 'for one in $node $mapper; do kill "$one" && wait "$one" || true; done 2>/dev/null; rm -rf "$directory"' EXIT
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
venv/bin/pip install -q --disable-pip-version-check pika==1.3.2 2>/dev/null

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
start() {
    "$sbin/rabbitmq-server" >>server.out 2>&1 &
    node=$!
}
client() { venv/bin/python client.py "$RABBITMQ_NODE_PORT" "$@" || { tail -n 20 server.out log/log; exit 1; }; }

cat >client.py <<'PYTHON'
import subprocess
import sys
import time

import pika
from pika.exceptions import AMQPError

port, what, queue = sys.argv[1:4]
deadline = time.monotonic() + 120
while True:
    try:
        connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", int(port)))
        break
    except (OSError, AMQPError):
        if time.monotonic() > deadline:
            raise
        time.sleep(0.2)
channel = connection.channel()
if what == "publish":
    channel.queue_declare(queue, durable=True)
    channel.confirm_delivery()
    for number in range(3):  # raises if it is not confirmed
        channel.basic_publish("", queue, b"%d" % number, pika.BasicProperties(delivery_mode=2), mandatory=True)
    subprocess.run(sys.argv[4:], check=True)
else:
    try:
        print(channel.queue_declare(queue, durable=True, passive=True).method.message_count, "messages")
    except pika.exceptions.ChannelClosedByBroker as error:
        print(error.reply_code, error.reply_text)
PYTHON

start
client look none >/dev/null    # waits until the node is up
client publish old true
for round in $(seq 80); do
    client publish "new$round" kill -9 "$node"
    wait "$node" 2>/dev/null || true
    start
    new=$(client look "new$round") old=$(client look old)
    case $new in 404*) break ;; esac
done
echo "RabbitMQ 3.10.8, three persistent messages confirmed in a durable queue, kill -9 at once, start"
echo "kill $round, the new queue: $new"
echo "kill $round, one that was there at the first: $old"
case $new in 404*) ;; *) echo "CHANGED: no new queue was lost"; exit 1 ;; esac
[ "$old" = "3 messages" ] || { echo "CHANGED"; exit 1; }
