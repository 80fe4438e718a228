"""Publishes with the real fedora-messaging each line of its input: a topic and a body."""

from __future__ import annotations

import json
import sys

from fedora_messaging import api, message

for line in sys.stdin:
    topic, body = json.loads(line)
    api.publish(message.Message(topic=topic, body=body, headers={"mine": "x", "n": 5}, severity=message.WARNING))
    print("published", flush=True)
