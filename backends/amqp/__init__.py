"""AMQP 0-9-1: client of RabbitMQ. Needs the extra ``amqp``."""
