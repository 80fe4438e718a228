"""Run by the test in a virtual environment of its own: the real fedmsg listens, and prints what it hears.

Usage: fedmsg_listener.py ENDPOINT. A JSON object a line: topic and the whole envelope.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from fedmsg.core import FedMsgContext

listener: Any = FedMsgContext(
    active=False,
    endpoints={"hub": [sys.argv[1]]},
    name="listener",
    topic_prefix="",
    environment="dev",
    io_threads=1,
    high_water_mark=0,
    zmq_linger=0,
    post_init_sleep=0,
    zmq_enabled=True,
    sign_messages=False,
    validate_signatures=False,
    mute=True,
)
for _name, _endpoint, topic, message in listener.tail_messages():
    print(json.dumps({"topic": topic, "envelope": message}), flush=True)
