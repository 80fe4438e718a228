"""The same pipeline over a database of jobs."""

from hub import Consumer, Message, Settings


class Matcher(Consumer):
    """Passes on what is for somebody."""

    topics = ("org.example.#",)

    def consume(self, message: Message) -> None:
        self.context.jobs().insert("work", message.body)


class Worker(Consumer):
    """Decides who hears of it, and by which way."""

    queue = "work"

    class Config(Settings):
        ways: list[str] = ["email", "irc", "push"]

    def consume(self, message: Message) -> None:
        for way in self.context.config.ways:
            self.context.jobs().insert(way, message.body, key=f"{way} of {message.id}", unique="kept")


class Sender(Consumer):
    """Sends it; here, into the log. Its section says of which queue."""

    def consume(self, message: Message) -> None:
        self.log.info("by %s: %s", message.topic, message.json())
