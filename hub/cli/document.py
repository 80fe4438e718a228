"""What ``--json`` prints."""

from __future__ import annotations

import json
import re

import msgspec

_NOT_ASCII = re.compile(r"[^ -~\n]")


def json_text(document: object, indented: bool = False) -> str:
    """JSON in ASCII: what comes from the bus may hold characters that a terminal obeys, or that turn a line around.

    :param indented: over many lines; otherwise one. What JSON has no type for is told as a text.
    """
    encoded = msgspec.json.encode(document, enc_hook=str)
    text = (msgspec.json.format(encoded) if indented else encoded).decode()
    return _NOT_ASCII.sub(lambda found: json.dumps(found[0])[1:-1], text)
