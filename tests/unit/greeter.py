"""A consumer to put on a bench."""

from __future__ import annotations

from collections.abc import Sequence

from hub import Consumer, Message, Reject, Retry, Settings, setting
from hub.settings import Duration, FilePath


class Greeter(Consumer):
    """Answers each message, and counts its ticks."""

    topics = ("org.example.#",)

    class Config(Settings):
        greeting: str = setting("hi", "What to say.", min_length=2)
        pause: Duration = setting("5s", "A pause.")
        place: FilePath | None = setting(None, "A file.")

    ticks = 0
    stopped = False

    def consume(self, message: Message) -> None:
        said = message.json()
        self.context.publish("org.example.greeting", {"said": self.config.greeting})
        if "retry" in said:
            raise Retry(self.config.pause, "busy")
        if "reject" in said:
            raise Reject(said["reject"])
        if "fail" in said:
            raise KeyError(said["fail"])

    def tick(self) -> None:
        self.ticks += 1
        self.context.publish("org.example.tick", self.ticks)

    def stop(self) -> None:
        self.stopped = True


def ids(messages: Sequence[Message]) -> list[str]:
    return [message.id for message in messages]
