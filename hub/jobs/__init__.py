"""Job queues in a database."""
