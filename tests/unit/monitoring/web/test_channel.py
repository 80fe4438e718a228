"""The private parts of Twisted's HTTP channel that ours goes by: a Twisted that has others must fail here."""

from __future__ import annotations

import inspect
import re

import pytest
from twisted.web import http

from hub.monitoring.web import channel

PRIVATE = (
    "_dataBuffer",
    "_handlingRequest",
    "_optimisticEagerReadSize",
    "_respondToBadRequestAndDisconnect",
    "_waitingForTransport",
)


@pytest.mark.parametrize("name", PRIVATE)
def test_twisted_has_it_and_uses_it(name: str) -> None:
    assert hasattr(http.HTTPChannel(), name)
    assert len(re.findall(rf"self\.{name}\b", inspect.getsource(http.HTTPChannel))) >= 1


def test_no_other_is_used() -> None:
    used = set(re.findall(r"\bself\.(_\w+)|def (_[a-z]\w+)", inspect.getsource(channel.Channel)))
    ours = {"_go_on"}
    assert {one or other for one, other in used} - ours == set(PRIVATE)


def test_what_extends_the_time_of_a_client_is_called_by_twisted_by_this_name() -> None:
    assert "self.resetTimeout()" in inspect.getsource(http.HTTPChannel)
