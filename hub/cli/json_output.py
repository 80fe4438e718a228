"""JSON output of ``--json``."""

from __future__ import annotations

import json
import re

_NOT_ASCII = re.compile(r"[^ -~\n]")


def json_text(document: object, indented: bool = False) -> str:
    """JSON in ASCII, because text from the bus may hold terminal control or bidirectional characters.

    Values that JSON has no type for become strings.

    :param indented: write many lines; otherwise one.
    """
    # Imported here: most output is for people.
    import msgspec

    encoded = msgspec.json.encode(document, enc_hook=str)
    text = (msgspec.json.format(encoded) if indented else encoded).decode()
    return _NOT_ASCII.sub(lambda found: json.dumps(found[0])[1:-1], text)
