#!/usr/bin/env bash
# RabbitMQ 3.10.8 (STOMP plugin): an ACK in a subscription with "ack:client" also settles what other subscriptions of the
# connection hold, even one with "ack:client-individual".
#
# Guessed: the ACK settles its message and the earlier ones of its own subscription, as STOMP 1.2 says ("all messages sent
# to the subscription before the ACK'ed message"). A message of another queue, in a "client-individual" subscription, that
# was never acknowledged comes again when the connection ends.
# Found: it does not come again; the broker counts it as settled. Without that ACK it comes again, with redelivered:true.
# So who reads two queues over one connection, one of them with "ack:client", loses messages that were in hand when a
# worker dies. "client-individual" throughout, or a connection for each subscription, avoids it.
# Needs Debian 12's apt-get, for packages that are only unpacked; a process of its own on loopback ports of its own.
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

free() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
port=$(free)
export HOME=$directory ERL_EPMD_PORT ERL_EPMD_ADDRESS=127.0.0.1 RUNNING_UNDER_SYSTEMD=1
ERL_EPMD_PORT=$(free)
export RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_CONFIG_FILE=$directory/rabbitmq.conf
export RABBITMQ_ADVANCED_CONFIG_FILE=$directory/advanced.config RABBITMQ_ENABLED_PLUGINS_FILE=$directory/plugins
export RABBITMQ_NODENAME=finding@localhost RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_NODE_PORT RABBITMQ_DIST_PORT
RABBITMQ_NODE_PORT=$(free) RABBITMQ_DIST_PORT=$(free)
export RABBITMQ_MNESIA_BASE=$directory/mnesia RABBITMQ_LOG_BASE=$directory/log RABBITMQ_LOGS=$directory/log/log
export RABBITMQ_PID_FILE=$directory/pid
export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1}"
echo "stomp.listeners.tcp.1 = 127.0.0.1:$port" >rabbitmq.conf
echo "[rabbitmq_stomp]." >plugins
epmd -port "$ERL_EPMD_PORT" -address 127.0.0.1 >epmd.out 2>&1 &
mapper=$!
root/usr/lib/rabbitmq/lib/rabbitmq_server-3.10.8/sbin/rabbitmq-server >server.out 2>&1 &
node=$!

python3 - "$port" <<'PYTHON' || { tail -n 20 server.out log/log; exit 1; }
import socket
import sys
import time


class Client:
    """A STOMP connection."""

    def __init__(self):
        deadline = time.monotonic() + 90
        while True:
            try:
                self.socket = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=30)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
        self.file = self.socket.makefile("rb")
        self.send("CONNECT", login="guest", passcode="guest", host="/", accept_version="1.2")
        self.server = self.frame("CONNECTED")[0]["server"]

    def send(self, command, body="", **headers):
        lines = "".join(f"{name.replace('_', '-')}:{value}\n" for name, value in headers.items())
        self.socket.sendall(f"{command}\n{lines}\n{body}\0".encode())

    def frame(self, wanted):
        """The next frame, which has to be of that command: its headers and its body."""
        data = b""
        while not data.endswith(b"\0"):
            byte = self.file.read(1)
            assert byte, f"the broker closed; it had sent {data!r}"
            data += byte
        head, _, body = data.rstrip(b"\0").decode().lstrip("\n").partition("\n\n")
        command, *lines = head.split("\n")
        assert command == wanted, (command, lines, body)
        return dict(line.split(":", 1) for line in lines), body

    def done(self, command, body="", **headers):
        self.send(command, body, receipt="r", **headers)
        self.frame("RECEIPT")

    def subscribe(self, queue, ack):
        """Subscribe, and take the one message that waits there."""
        self.send("SUBSCRIBE", id=queue, destination=f"/queue/{queue}", ack=ack)
        return self.frame("MESSAGE")

    def end(self):
        self.file.close()
        self.socket.close()


def what_comes_again(name, acknowledge):
    """The first message of the queue whose message nobody acknowledged, after the end of the connection."""
    held, other = f"{name}-held", f"{name}-other"
    client = Client()
    client.done("SEND", "held", destination=f"/queue/{held}")
    client.done("SEND", "other", destination=f"/queue/{other}")
    client.subscribe(held, "client-individual")
    headers, _ = client.subscribe(other, "client")
    if acknowledge:
        client.done("ACK", id=headers["ack"])
    client.end()
    client = Client()
    time.sleep(1)  # the broker has noticed the end
    client.done("SEND", "sent later", destination=f"/queue/{held}")
    headers, body = client.subscribe(held, "auto")
    client.end()
    return body, headers.get("redelivered")


client = Client()
print("server:", client.server)
client.end()
without = what_comes_again("a", acknowledge=False)
print("without an ACK in the other subscription, first:", without)
acked = what_comes_again("b", acknowledge=True)
print("with an ACK in the other subscription, first:", acked)
assert client.server == "RabbitMQ/3.10.8", client.server
assert without == ("held", "true"), without
assert acked == ("sent later", "false"), acked
PYTHON
