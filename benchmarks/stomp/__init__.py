"""hubbub's STOMP server beside RabbitMQ's and ActiveMQ's, in one interleaved run: ``python -m benchmarks.stomp``."""
