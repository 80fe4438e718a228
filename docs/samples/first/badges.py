from hub import Consumer, Message


class Badges(Consumer):
    topics = ("org.example.demo.git.receive",)

    def consume(self, message: Message) -> None:
        push = message.json()["msg"]
        self.log.info("%s pushed to %s", push["agent"], push["repo"])
