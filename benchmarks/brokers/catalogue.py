"""The brokers that are measured."""

from __future__ import annotations

from benchmarks.brokers.broker import Broker
from benchmarks.brokers.nats_server import Nats
from benchmarks.brokers.rabbitmq_server import RabbitMQ
from benchmarks.brokers.redis_server import Redis

CATALOGUE: dict[str, Broker] = {
    broker.name: broker for broker in (Nats(), Redis("everysec"), Redis("always"), RabbitMQ())
}
"""By the names that the tables give them."""
