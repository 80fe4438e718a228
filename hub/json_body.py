"""Bodies that have to be an object of JSON."""

from __future__ import annotations

from typing import Any

from hub import jsontext


class NoObject(Exception):
    """A body is no object of JSON. :ivar kind: ``not_json`` or ``not_an_object``; malformed input is counted by it."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind


def read_object(body: bytes) -> dict[str, Any]:
    """Decode a body. As Python's decoder does, it accepts ``NaN``. :raises NoObject: it is none."""
    try:
        body.decode()  # the decoder does not look into all texts
        content = jsontext.read(body)
    except (UnicodeDecodeError, *jsontext.NO_JSON) as error:
        raise NoObject("not_json", f"the body is not JSON: {str(error)[:200]}") from error
    if not isinstance(content, dict):
        raise NoObject("not_an_object", f"the body is not an object of JSON: it starts with {body[:20]!r}")
    return content
