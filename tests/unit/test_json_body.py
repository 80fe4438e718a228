"""Bodies that have to be an object of JSON."""

from __future__ import annotations

import pytest

from hub.json_body import NoObject, read_object


def test_an_object_is_read() -> None:
    assert read_object(b'{"a": 1}') == {"a": 1}


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"{", "not_json"), (b'{"a": "\xff"}', "not_json"), (b"[1]", "not_an_object"), (b"null", "not_an_object")],
)
def test_what_is_none_has_its_kind(body: bytes, kind: str) -> None:
    with pytest.raises(NoObject) as caught:
        read_object(body)
    assert caught.value.kind == kind
