"""Consumers of the pipeline. The hub of each imports this file by its path."""

import random
import time

from hub import Consumer, Message, Settings

WAYS = ("email", "irc", "push")


class Matcher(Consumer):
    """Passes each message on: to the queue that all workers share, or to that of a worker chosen by chance."""

    topics = ("org.example.#",)

    class Config(Settings):
        """Settings: the number of workers to choose from; 0: they share one queue."""

        workers: int = 0

    def consume(self, message: Message) -> None:
        """Publish it to the workers."""
        chosen = f"work{random.randrange(self.context.config.workers)}" if self.context.config.workers else "work"
        self.context.publish(chosen, message.body, backend="queue")


class Worker(Consumer):
    """Works for a time, and passes on to one of the senders, unless told not to."""

    class Config(Settings):
        """Settings: seconds that a message takes; whether it is passed on."""

        seconds: float
        publishes: bool = True

    def consume(self, message: Message) -> None:
        """Work, publish."""
        time.sleep(self.context.config.seconds)
        if self.context.config.publishes:
            self.context.publish(WAYS[message.json()["number"] % len(WAYS)], message.body, backend="queue")


class Sender(Consumer):
    """Has nothing to do but to be counted."""

    def consume(self, message: Message) -> None:
        """Do nothing."""
