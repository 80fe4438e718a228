"""Consumes with the real fedora-messaging, and prints what it made of each message."""

from __future__ import annotations

import json
import sys
from typing import Any

from fedora_messaging import api


def show(message: Any) -> None:
    shown = {
        "class": type(message).__name__,
        "topic": message.topic,
        "id": message.id,
        "body": message.body,
        "severity": message.severity,
        "headers": message._headers,
        "summary": getattr(message, "summary", None),
        "usernames": getattr(message, "usernames", None),
    }
    print(json.dumps(shown), flush=True)


api.consume(show, bindings=[], queues=json.loads(sys.argv[1]))
