"""What is trimmed."""

from __future__ import annotations

from typing import Any

import pytest

from hub.backends.redis.trimming import Trimmer
from tests.unit.backends.redis.clients import settings
from tests.unit.backends.redis.test_group import Scripted, row


@pytest.mark.parametrize(
    ("given", "command"),
    [
        ({"trim": "never"}, None),
        ({"trim": "always", "keep_length": 5}, ("XTRIM", "work", "MAXLEN", "~", 5)),
        ({"trim": "always", "keep_age": 10.0}, ("XTRIM", "work", "MINID", "~", b"990000-0")),
        ({"trim": "acknowledged"}, ("XTRIM", "work", "MINID", "~", b"999000-8")),
        ({"trim": "acknowledged", "keep_age": 10.0}, ("XTRIM", "work", "MINID", "~", b"990000-0")),
        ({"trim": "acknowledged", "keep_age": 0.5 + 0.5}, ("XTRIM", "work", "MINID", "~", b"999000-0")),
    ],
)
def test_what_the_settings_say(given: dict[str, Any], command: tuple[Any, ...] | None) -> None:
    groups = [row(b"999500-0"), row(b"999000-7", name=b"slow")]
    line: Any = Scripted(XTRIM=100, TIME=[b"1000", b"0"], XINFO_GROUPS=groups)
    trimmer = Trimmer(settings(1, **given))
    trimmer.trim(line, "work")
    assert (line.commands[-1] if line.commands else None) == command
    assert trimmer.trimmed == (100 if command else 0)
    assert trimmer.held_by == ({"work": "slow"} if given["trim"] == "acknowledged" else {})


def test_what_somebody_has_is_kept() -> None:
    line: Any = Scripted(XTRIM=0, XINFO_GROUPS=[row(b"9-0", 2)], XPENDING=[2, b"4-0", b"5-0", []])
    Trimmer(settings(1, trim="acknowledged")).trim(line, "work")
    assert line.commands[-1] == ("XTRIM", "work", "MINID", "~", b"4-0")
