"""A pipeline over several machines: one matcher, workers that share its queue, a sender for each way to people."""

from hub import Consumer, Message, Settings


class Matcher(Consumer):
    """Passes on what is for somebody."""

    topics = ("org.example.#",)

    def consume(self, message: Message) -> None:
        self.context.publish("work", message.body, backend="queue")


class Worker(Consumer):
    """Decides who hears of it, and by which way."""

    topics = ("work",)

    class Config(Settings):
        ways: list[str] = ["email", "irc", "push"]

    def consume(self, message: Message) -> None:
        for way in self.context.config.ways:
            self.context.publish(way, message.body, backend="queue")


class Sender(Consumer):
    """Sends it; here, into the log."""

    def consume(self, message: Message) -> None:
        self.log.info("by %s: %s", message.topic, message.json())
