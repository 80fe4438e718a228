"""Catalogue of the brokers that are measured."""

from __future__ import annotations

from benchmarks.brokers.broker import PythonBroker
from benchmarks.brokers.nats_server import Nats
from benchmarks.brokers.rabbitmq_server import RabbitMQ
from benchmarks.brokers.redis_server import Redis

CATALOGUE: dict[str, PythonBroker] = {
    broker.name: broker for broker in (Nats(), Redis("everysec"), Redis("always"), RabbitMQ())
}
"""Brokers by their names in the tables."""
