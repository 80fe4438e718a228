import urllib.error
import urllib.request

from hub import Consumer, Message, Reject, Retry, Settings, setting
from hub.settings import Duration


class Webhook(Consumer):
    """Hands each message to a web server."""

    threads = 4

    class Config(Settings):
        url: str = setting(..., "Where to.", example="http://127.0.0.1:8000/")
        patience: Duration = setting("10s", "How long the answer may take.", gt=0)

    def consume(self, message: Message) -> None:
        headers = {"Content-Type": "application/json", "Idempotency-Key": message.id}
        for name in ("traceparent", "tracestate"):
            if name in message.headers:
                headers[name] = str(message.headers[name])
        request = urllib.request.Request(self.config.url, message.body, headers)
        try:
            urllib.request.urlopen(request, timeout=self.config.patience).close()
        except urllib.error.HTTPError as error:
            if error.code < 500:
                raise Reject(f"the server says {error.code}") from error
            raise Retry(30, f"the server says {error.code}") from error
        except OSError as error:
            raise Retry(reason=f"the server is away: {error}") from error
