import threading
from collections import Counter

from hub import Consumer, Message


class Totals(Consumer):
    """Says once a minute how many messages of each topic there were."""

    threads = 4
    every = "1m"

    def start(self) -> None:
        self.lock = threading.Lock()
        self.counts: Counter[str] = Counter()

    def consume(self, message: Message) -> None:
        with self.lock:
            self.counts[message.topic] += 1

    def tick(self) -> None:
        with self.lock:
            counts, self.counts = self.counts, Counter()
        self.context.publish("org.example.demo.totals", counts)
