"""A peer for each test that asks for one, and a bench that runs until something holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hub.consumers.webhook import Webhook
from hub.testing.bench import Bench, Benches
from tests.support import wait_until
from tests.unit.consumers.webhook.peer import Peer, peer

Hook = Callable[..., Bench[Webhook]]


@pytest.fixture
def there() -> Iterator[Peer]:
    """A server on loopback."""
    with peer() as found:
        yield found


@pytest.fixture
def hook(hubbub: Benches) -> Hook:
    """Makes a webhook that may send to loopback."""

    def make(url: str, **settings: Any) -> Bench[Webhook]:
        return hubbub(Webhook, **({"url": url, "allow_private": ["127.0.0.0/8"]} | settings))

    return make


def run_until(bench: Bench[Webhook], condition: Callable[[], object], seconds: float = 0.05) -> None:
    """Run a bench, whose clock goes on by ``seconds`` each time, until the condition holds."""

    def holds() -> object:
        bench.run()
        bench.advance(seconds)
        return condition()

    wait_until(holds, 30, lambda: f"retries {bench.retries[:3]}, dead {[one.reason for one in bench.dead_letters][:3]}")


def run_out(bench: Bench[Webhook], seconds: float = 0.05) -> None:
    """Run a bench until it has no backlog."""
    run_until(bench, lambda: not bench.backlog, seconds)
