from greeter.words import greeting
from hub import Consumer, Message, Reject, Settings, setting


class Greeter(Consumer):
    """Greets whoever pushes."""

    topics = ("org.example.demo.git.receive",)

    class Config(Settings):
        word: str = setting("hello", "What a greeting begins with.", min_length=1)

    def consume(self, message: Message) -> None:
        agent = message.json()["msg"].get("agent")
        if not isinstance(agent, str):
            raise Reject("nobody pushed this")
        self.context.publish("org.example.demo.greeting", {"text": greeting(self.config.word, agent)})
