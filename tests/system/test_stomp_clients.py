"""The STOMP server and the clients that people use: stomp.py, the gem stomp, Net::Stomp, stompit; each with its own
defaults."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.node import node, npm_package
from tests.support import PATIENCE, require, wait_until
from tests.system.script import Script
from tests.system.server import program
from tests.system.test_stomp_server import StompHub

pytestmark = pytest.mark.system

LISTENER = """
import queue, sys, stomp
found, receipts = queue.Queue(), queue.Queue()

class Listener(stomp.ConnectionListener):
    def on_message(self, frame):
        found.put(frame)
    def on_receipt(self, frame):
        receipts.put(frame.headers["receipt-id"])
    def on_error(self, frame):
        print("ERROR", frame.headers, frame.body)
"""
"""Begin of a program with stomp.py: messages and receipts come into queues."""
STOMP_PY = (
    LISTENER
    + """
port, version = int(sys.argv[1]), sys.argv[2]
made = {"1.0": stomp.Connection10, "1.1": stomp.Connection11, "1.2": stomp.Connection12}[version]
beats = {} if version == "1.0" else {"heartbeats": (10000, 10000)}
client = made([("127.0.0.1", port)], **beats)
client.set_listener("", Listener())
client.connect("guest", "guest", wait=True)
client.subscribe("/queue/work", "1", ack="client-individual")
client.send("/queue/work", "first: \\u2603", receipt="sent")
assert receipts.get(timeout=20) == "sent"
one = found.get(timeout=20)
print(one.body)

def ack(frame, call=client.ack):
    if version == "1.2":
        call(frame.headers["ack"])
    elif version == "1.1":
        call(frame.headers["message-id"], "1")
    else:
        call(frame.headers["message-id"])

ack(one)
transaction = client.begin()
client.send("/queue/work", "second", transaction=transaction)
client.send("/queue/work", "third", transaction=transaction)
client.commit(transaction)
second, third = found.get(timeout=20), found.get(timeout=20)
print(second.body, third.body)
ack(second)
if version == "1.0":
    ack(third)
else:
    ack(third, client.nack)
    again = found.get(timeout=20)
    print("again", again.body, again.headers["redelivered"])
    ack(again)
client.unsubscribe("1")
client.disconnect(receipt="bye")
assert receipts.get(timeout=20) == "bye"
"""
)

RUBY = """
require "stomp"
port, version = ARGV
headers = {"accept-version" => version, "host" => "localhost", "heart-beat" => "10000,10000"}
hosts = [{:login => "guest", :passcode => "guest", :host => "127.0.0.1", :port => port.to_i, :ssl => false}]
client = Stomp::Connection.new({:hosts => hosts, :connect_headers => headers, :reliable => false})
client.subscribe("/queue/work", {"id" => "1", "ack" => "client"}, "1")
client.publish("/queue/work", "first", {"persistent" => "true"})
one = client.receive
puts one.body
acked = version == "1.2" ? one.headers["ack"] : one.headers["message-id"]
client.ack(acked, version == "1.1" ? {"subscription" => "1"} : (version == "1.2" ? {"id" => acked} : {}))
client.begin("t")
client.publish("/queue/work", "second", {:transaction => "t"})
client.commit("t")
two = client.receive
puts two.body
client.unsubscribe("/queue/work", {"id" => "1"}, "1")
client.disconnect({:receipt => "bye"})
puts client.disconnect_receipt.headers["receipt-id"]
"""

PERL = """
use Net::Stomp;
my ($port) = @ARGV;
my $client = Net::Stomp->new({hostname => "127.0.0.1", port => $port});
$client->connect({login => "guest", passcode => "guest"});
$client->subscribe({destination => "/queue/work", ack => "client", "activemq.prefetchSize" => 1});
$client->send({destination => "/queue/work", body => "first"});
my $frame = $client->receive_frame({timeout => 20});
print $frame->body, "\\n";
$client->ack({frame => $frame});
$client->send_transactional({destination => "/queue/work", body => "second"}) or die "no receipt";
$frame = $client->receive_frame({timeout => 20});
print $frame->body, "\\n";
$client->ack({frame => $frame});
$client->disconnect;
"""

STOMPIT_HEAD = """
const [port, place, version] = process.argv.slice(2);
const stompit = require(place);
const connectHeaders = { host: "/", login: "guest", passcode: "guest", "heart-beat": "10000,10000" };
if (version) connectHeaders["accept-version"] = version;
const options = { host: "127.0.0.1", port: Number(port), connectHeaders };
const destination = "/queue/work";
"""

STOMPIT = (
    STOMPIT_HEAD
    + """
const promised = (call) => new Promise((done, fail) => {
    call((error, result) => error ? fail(error) : done(result));
});

function reader(client, ack) {
    const found = [], waiting = [];
    const subscription = client.subscribe({ destination, ack }, (error, message) => {
        if (error) throw error;
        message.readString("utf-8", (error, body) => {
            if (error) throw error;
            if (waiting.length) waiting.shift()({ message, body }); else found.push({ message, body });
        });
    });
    const next = () => found.length ? found.shift() : new Promise((done) => waiting.push(done));
    return { next, end: () => subscription.unsubscribe() };
}

const sent = (sender, body) => new Promise((done) => {
    sender.send({ destination }, { onReceipt: done }).end(body);
});
const ended = (transaction, verb) => new Promise((done) => transaction[verb]({ onReceipt: done }));

async function individually(client) {
    const { next, end } = reader(client, "client-individual");
    await sent(client, "first: \u2603");
    const first = await next();
    console.log(first.body);
    await promised((done) => client.ack(first.message, {}, null, done));
    const dropped = client.begin();
    dropped.send({ destination }).end("never");
    await ended(dropped, "abort");
    const transaction = client.begin();
    transaction.send({ destination }).end("second");
    transaction.send({ destination }).end("third");
    await ended(transaction, "commit");
    const second = await next(), third = await next();
    console.log(second.body, third.body);
    client.ack(second.message);
    if (version === "1.0") {
        client.ack(third.message);
    } else {
        client.nack(third.message);
        const again = await next();
        console.log("again", again.body, again.message.headers.redelivered);
        client.ack(again.message);
    }
    end();
}

async function cumulatively(client) {
    const { next, end } = reader(client, "client");
    for (const body of ["4", "5", "6"]) await sent(client, body);
    const messages = [await next(), await next(), await next()];
    console.log(...messages.map(({ body }) => body));
    for (const { message } of messages) client.ack(message);
    end();
}

async function unasked(client) {
    const { next, end } = reader(client, "auto");
    await sent(client, "x".repeat(100_000));
    console.log((await next()).body.length);
    end();
}

(async () => {
    const client = await promised((done) => stompit.connect(options, done));
    await individually(client);
    await cumulatively(client);
    await unasked(client);
    await promised((done) => client.disconnect(done));
})();
"""
)

STOMPIT_CHANNEL = (
    STOMPIT_HEAD
    + """
const times = {};
const channel = new stompit.Channel(new stompit.ConnectFailover([options]));
channel.subscribe({ destination, ack: "client-individual" }, (error, message) => {
    if (error) throw error;
    message.readString("utf-8", (error, body) => {
        if (error) throw error;
        times[body] = (times[body] ?? 0) + 1;
        console.log(body, times[body]);
        if (times[body] === 2) channel.ack(message);
    });
});
"""
)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[StompHub]:
    with StompHub(tmp_path, 'backoff = "100ms"\n') as hub:
        yield hub


def run(directory: Path, name: str, source: str, *command: str) -> list[str]:
    """What a client's script prints."""
    file = directory / name
    file.write_text(source, encoding="utf-8")
    interpreter, *arguments = command
    done = subprocess.run([interpreter, str(file), *arguments], capture_output=True, text=True, timeout=60 * PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_stomp_py(hub: StompHub, tmp_path: Path, version: str) -> None:
    printed = run(tmp_path, "client.py", STOMP_PY, sys.executable, str(hub.port), version)
    again = [] if version == "1.0" else ["again third true"]
    assert printed == ["first: \N{SNOWMAN}", "second third", *again]
    wait_until(lambda: hub.consumer("work")["backlog"] == 0)


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_the_ruby_gem(hub: StompHub, tmp_path: Path, version: str) -> None:
    ruby = program("ruby", "ruby-stomp")
    known = subprocess.run([ruby, "-e", 'require "stomp"'], capture_output=True).returncode == 0
    require(known, "the gem stomp is not installed (Debian's ruby-stomp)")
    assert run(tmp_path, "client.rb", RUBY, ruby, str(hub.port), version) == ["first", "second", "bye"]
    wait_until(lambda: hub.consumer("work")["backlog"] == 1)


def test_net_stomp(hub: StompHub, tmp_path: Path) -> None:
    perl = program("perl", "perl")
    known = subprocess.run([perl, "-MNet::Stomp", "-e", "1"], capture_output=True).returncode == 0
    require(known, "Net::Stomp is not installed (Debian's libnet-stomp-perl)")
    assert run(tmp_path, "client.pl", PERL, perl, str(hub.port)) == ["first", "second"]
    wait_until(lambda: hub.consumer("work")["backlog"] == 0)


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_stompit(hub: StompHub, tmp_path: Path, version: str) -> None:
    place = str(npm_package("stompit"))
    printed = run(tmp_path, "client.cjs", STOMPIT, node(), str(hub.port), place, version)
    again = [] if version == "1.0" else ["again third true"]
    assert printed == ["first: \N{SNOWMAN}", "second third", *again, "4 5 6", "100000"]
    wait_until(lambda: hub.consumer("work")["backlog"] == 0)
    assert (hub.backend()["errors"], hub.backend()["disconnected"]) == (0, {})


def test_a_channel_of_stompit_connects_and_subscribes_again(hub: StompHub, tmp_path: Path) -> None:
    place = str(npm_package("stompit"))
    with Script(tmp_path, "client.cjs", STOMPIT_CHANNEL, node(), str(hub.port), place) as script:
        with hub.connect() as sender:
            sender.receipt("SEND", b"one", destination="/queue/work")
        assert script.line() == "one 1"
        hub.process.kill()
        hub.process.wait()
        with hub:
            assert script.line() == "one 2"
            wait_until(lambda: hub.consumer("work")["backlog"] == 0)
            with hub.connect() as sender:
                sender.receipt("SEND", b"two", destination="/queue/work")
            assert script.line() == "two 1"
