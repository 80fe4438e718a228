"""One queue for each consumer: what waits, what is ready, what is in flight, what comes later; and the one lock."""
