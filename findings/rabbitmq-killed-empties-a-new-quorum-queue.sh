#!/usr/bin/env bash
# RabbitMQ 3.10.8: a quorum queue that was declared within the second before kill -9 comes back empty, and answers nothing:
# the persistent messages in it that the broker has confirmed are gone.
#
# Guessed: a quorum queue is the kind for data that must not be lost. It confirms a message when the Raft log on the disk
# has it, so the death of the broker's process, without a loss of power, takes nothing that was confirmed.
# Found: each time, the queue is declared afterwards and has 0 messages. A basic.get of it ends the connection after 65
# seconds, with "541 INTERNAL_ERROR - Cannot get a message from queue", and a publish is answered with a nack after as
# long. A further stop and start mends nothing: the queue has to be deleted, which takes 5 seconds, and declared anew. All
# messages are in the log on the disk; but which log is a queue's stands in quorum/*/names.dets, which the broker writes
# about a second after the declaration, and a queue without its line there gets a new log at the start. A queue that has
# its line keeps all that was confirmed. (A durable classic queue, too, can be gone after such a kill, but by chance, and
# then as a whole: rabbitmq-killed-forgets-a-new-queue.sh.)
# So a confirm says nothing in the first second of a quorum queue: declare queues ahead. A program that declares its queue
# whenever it starts doesn't notice the loss, for the declaration succeeds.
# Up to 5 kills, for the node can also forget the declaration, as it does with a classic queue. Takes 2 minutes. Needs
# Debian 12's apt-get, for packages that are only unpacked; processes of its own on loopback ports of its own.
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
venv/bin/pip install -q --disable-pip-version-check pika==1.4.4 2>/dev/null

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
start = time.monotonic()
try:
    if what == "publish":
        channel.queue_declare(queue, durable=True, arguments={"x-queue-type": "quorum"})
        channel.confirm_delivery()
        for number in range(20):  # raises if it is not confirmed
            channel.basic_publish("", queue, b"%d" % number, pika.BasicProperties(delivery_mode=2), mandatory=True)
        subprocess.run(sys.argv[4:], check=True)
        print(f"20 messages confirmed, the queue {time.monotonic() - start:.2f} s old")
    elif what == "look":
        print(channel.queue_declare(queue, durable=True, passive=True).method.message_count, "messages")
    else:
        print(channel.basic_get(queue)[2])
except (pika.exceptions.ChannelClosedByBroker, pika.exceptions.ConnectionClosedByBroker) as error:
    print(error.reply_code, error.reply_text.splitlines()[0], f"(after {time.monotonic() - start:.0f} s)")
PYTHON

start
client look none >/dev/null    # waits until the node is up
echo "RabbitMQ 3.10.8"
names=mnesia/finding@localhost/quorum/finding@localhost/names.dets
echo "old: $(client publish old timeout 30 sh -c "until grep -aq old $names; do sleep 0.05; done"), written in names.dets"
for round in $(seq 5); do
    echo "new$round: $(client publish "new$round" kill -9 "$node"), kill -9"
    wait "$node" 2>/dev/null || true
    written=$(grep -aoE '(old|new)[0-9]*' "$names" | sort -u | tr '\n' ' ')
    start
    new=$(client look "new$round") old=$(client look old)
    echo "written in names.dets: $written"
    echo "after the start, new$round: $new"
    echo "after the start, old: $old"
    case $new in 404*) ;; *) break ;; esac
done
case " $written" in *" new$round "*) echo "CHANGED: the new queue was written down"; exit 1 ;; esac
[ "$new" = "0 messages" ] || { echo "CHANGED: the new queue is not empty"; exit 1; }
[ "$old" = "20 messages" ] || { echo "CHANGED: the old queue has lost messages"; exit 1; }
got=$(client get old)
echo "basic.get of old: $got"
[ "$got" = "b'0'" ] || { echo "CHANGED"; exit 1; }
got=$(timeout 120 venv/bin/python client.py "$RABBITMQ_NODE_PORT" get "new$round") || got="no answer in 120 s"
echo "basic.get of new$round: $got"
case $got in 541*) ;; *) echo "CHANGED"; exit 1 ;; esac
