"""Run by the test in a virtual environment of its own: the real fedmsg publishes recorded messages.

Usage: fedmsg_publisher.py ENDPOINT FILE. It sends probes until a line on standard input says that they arrive, then
the messages of FILE, each once, in order, then waits for another line.
"""

from __future__ import annotations

import json
import select
import sys
from pathlib import Path
from typing import Any

from fedmsg.core import FedMsgContext

endpoint, path = sys.argv[1:]
publisher: Any = FedMsgContext(
    active=True,
    relay_inbound=[endpoint],
    name="relay_inbound",
    endpoints={},
    topic_prefix="",
    environment="dev",
    io_threads=1,
    high_water_mark=0,
    zmq_linger=5000,
    post_init_sleep=0,
    zmq_enabled=True,
    sign_messages=False,
)
while not select.select([sys.stdin], [], [], 0.05)[0]:
    publisher.publish(topic="probe", modname="organ", msg={})
sys.stdin.readline()
count = 0
for line in Path(path).read_text(encoding="utf-8").splitlines():
    record = json.loads(line)
    modname, _, rest = record["topic"].partition(".")
    publisher.publish(topic=rest, modname=modname, msg=record["msg"])
    count += 1
print(count, flush=True)
sys.stdin.readline()
publisher.destroy()
