"""The queue of a consumer. :mod:`hub.queue.queue` shows the states of a message."""
