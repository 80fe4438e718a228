from hub import Consumer, Message, Reject


class Mail(Consumer):
    topics = ("org.example.demo.#",)

    def consume(self, message: Message) -> None:
        to = message.json()["msg"]["user"]
        if not to.isascii():
            raise Reject("an address that is not ASCII")
        self.log.info("a mail to %s", to)
