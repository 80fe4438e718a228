"""The AMQP client beside fedora-messaging and a plain loop, in one interleaved run: ``python -m benchmarks.amqp``."""
