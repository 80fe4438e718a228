"""Clients that are idle for more than a minute stay connected by their heart-beats, and then get a message: all of them
at once, so that the minute is waited for once."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.node import node, npm_package
from tests.system.chromium import Chromium
from tests.system.script import Script
from tests.system.stomp_page import connect, example_page
from tests.system.test_stomp_server import StompHub

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

BEAT, BEATS = 5000, 13
"""Milliseconds between two heart-beats, and how many have to come from the server: 65 s."""

STOMP_PY = """
import sys, threading, stomp
port, beat, beats = map(int, sys.argv[1:])
left, over = beats, threading.Event()

class Listener(stomp.ConnectionListener):
    def on_heartbeat(self):
        global left
        left -= 1
        if left == 0:
            print("beats", flush=True)
    def on_heartbeat_timeout(self):
        print("no beats", flush=True)
    def on_disconnected(self):
        print("disconnected", flush=True)
    def on_message(self, frame):
        print(frame.body, flush=True)
        over.set()

client = stomp.Connection12([("127.0.0.1", port)], heartbeats=(beat, beat))
client.set_listener("", Listener())
client.connect(wait=True)
client.subscribe("/topic/idle", "1")
print("ready", flush=True)
over.wait()
"""

STOMPIT = """
const [port, beat, beats, place] = process.argv.slice(2);
const stompit = require(place);
const connectHeaders = { host: "/", "heart-beat": `${beat},${beat}` };
stompit.connect({ host: "127.0.0.1", port: Number(port), connectHeaders }, (error, client) => {
    if (error) throw error;
    let left = Number(beats);
    client.getTransportSocket().on("data", (data) => {
        if (data.toString() === "\\n" && --left === 0) console.log("beats");
    });
    client.on("error", (error) => console.log(error.message));
    client.subscribe({ destination: "/topic/idle" }, (error, message) => {
        if (error) throw error;
        message.readString("utf-8", (error, body) => {
            console.log(error ? error.message : body);
            client.disconnect();
        });
    });
    console.log("ready");
});
"""


def test_idle_clients_stay_connected_and_get_a_message(tmp_path: Path) -> None:
    numbers = [str(BEAT), str(BEATS)]
    with StompHub(tmp_path) as hub, Chromium() as chromium, example_page() as site:
        url = f"{site}?url=ws://127.0.0.1:{hub.port}/"
        python = Script(tmp_path, "client.py", STOMP_PY, sys.executable, str(hub.port), *numbers)
        script = Script(tmp_path, "client.cjs", STOMPIT, node(), str(hub.port), *numbers, str(npm_package("stompit")))
        with chromium.page(url) as page, python, script:
            expect(page.get_by_role("status")).to_have_text(re.compile("^connected to"))
            connect(page, hub.port, "/topic/idle", BEAT)
            assert (python.line(), script.line()) == ("ready", "ready")
            assert (python.line(), script.line()) == ("beats", "beats")
            page.wait_for_function(f"seen.beats >= {BEATS}", timeout=90_000)
            status = hub.backend()
            assert (status["peers"], status["disconnected"], status["errors"]) == (4, {}, 0)
            with hub.connect() as sender:
                sender.receipt("SEND", b"after a minute", destination="/topic/idle")
            assert (python.line(), script.line()) == ("after a minute", "after a minute")
            page.wait_for_function("seen.bodies?.[0] === 'after a minute false'")
            expect(page.get_by_role("listitem").first).to_have_text("/topic/idle: after a minute")
            assert page.evaluate("[seen.connected, seen.closed]") == [1, 0]
