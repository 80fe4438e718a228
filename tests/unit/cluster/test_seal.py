"""Announcements are signed by a key that the hubs share."""

from __future__ import annotations

import json

import msgspec
import pytest

from hub.cluster.announcement import MOST_BYTES, written
from hub.cluster.seal import WORST, RefusedAnnouncement, Seal
from tests.unit.cluster.news import announcement

KEY = b"sixteen bytes or more"
TOLD = announcement()


def refusal(seal: Seal, body: bytes) -> str:
    with pytest.raises(RefusedAnnouncement) as caught:
        seal.open(body)
    return caught.value.reason


def test_one_who_has_the_key_opens_it() -> None:
    assert Seal("t", KEY).open(Seal("t", KEY).close(TOLD)) == TOLD


def test_without_a_key_all_are_opened() -> None:
    assert Seal("t").open(Seal("t").close(TOLD)) == TOLD
    assert Seal("t").open(Seal("t", KEY).close(TOLD)) == TOLD


def test_a_forged_one_is_refused() -> None:
    seal = Seal("t", KEY)
    assert refusal(seal, Seal("t", b"another key of some length").close(TOLD)) == "forged"
    assert refusal(seal, Seal("t").close(TOLD)) == "unsigned"
    assert refusal(seal, Seal("other topic", KEY).close(TOLD)) == "forged"
    changed = json.loads(seal.close(TOLD))
    changed["announcement"] = changed["announcement"].replace("alpha", "gamma")
    assert refusal(seal, json.dumps(changed).encode()) == "forged"
    changed["signature"] = "\u00e9"
    assert refusal(seal, json.dumps(changed).encode()) == "forged"


def test_formats_of_a_bus_leave_the_signed_bytes_alone() -> None:
    body = json.loads(Seal("t", KEY).close(TOLD))
    again = json.dumps(dict(reversed(body.items())), indent=3).encode()
    assert Seal("t", KEY).open(again) == TOLD
    envelope = json.dumps({"topic": "t", "i": 1, "msg": body}).encode()
    assert Seal("t", KEY).open(envelope) == TOLD


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"{}", b'{"msg": {}}', b'{"announcement": 1}', b"[" * 9000])
def test_what_is_none_is_refused(body: bytes) -> None:
    assert refusal(Seal("t", KEY), body) == "malformed"


def test_a_signed_one_that_says_nonsense_is_refused() -> None:
    seal = Seal("t")
    assert (
        refusal(seal, msgspec.json.encode({"announcement": written(TOLD).replace("running", "dancing")})) == "malformed"
    )


def test_one_that_is_too_large_is_refused() -> None:
    assert refusal(Seal("t", KEY), b"x" * (WORST + 1)) == "too_large"
    assert refusal(Seal("t"), msgspec.json.encode({"announcement": "x" * (MOST_BYTES + 1)})) == "too_large"
