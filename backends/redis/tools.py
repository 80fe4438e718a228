"""Bus peers for the command line: a publisher that the hub receives from, and a listener to what the hub receives."""

from __future__ import annotations

import fnmatch
import logging
import time
import uuid
from collections.abc import Callable, Iterator

from hub.backends.blocking import connect_again
from hub.backends.redis.channel_reader import PATTERN
from hub.backends.redis.entries import body_of, fields_of, message_of
from hub.backends.redis.formats import Format, format_of, no_place_for
from hub.backends.redis.group import Found, found_in
from hub.backends.redis.line import ErrorReply, Line, Lost
from hub.backends.redis.replies import refusal_text, wants_another
from hub.backends.redis.servers import Servers
from hub.backends.redis.settings import Config
from hub.backends.unusable import Unusable, unread
from hub.errors import CannotPublish, Unavailable
from hub.message import Message, new_id

BLOCK = 1.0
"""Seconds for which a listener waits at once."""
_log = logging.getLogger(__name__)


def connect(config: Config, wait: float = 0.0) -> Line:
    """Connect to the server. :raises Unavailable: it can't be reached, or refuses."""
    try:
        return Servers(config).connect(wait)
    except (Lost, ErrorReply) as error:
        raise Unavailable(_words(config, error)) from error


def _words(config: Config, error: Exception) -> str:
    where = config.connect or f"master {config.master}"
    return f"{where}: {refusal_text(error) if isinstance(error, ErrorReply) else error}"


class Sender:
    """Publisher outside the hub. It sends to the first stream that the hub receives from, or to a channel.

    :raises Unavailable: the hub receives from none, or no server answers.
    """

    def __init__(self, config: Config) -> None:
        if not config.streams and not config.channels:
            raise Unavailable("the backend does not receive: it has no streams or channels")
        self._config = config
        self._format = format_of(config if config.streams else _of_a_channel(config), time.time)
        self._line = connect(config)

    def wait(self, timeout: float) -> bool:
        """True: a server takes messages whether or not a hub listens."""
        return True

    def publish(self, message: Message) -> None:
        """Send a message in the backend's format.

        :raises CannotPublish: no channel of the hub is of its topic, the format does not take it, or a channel has no
            place for a header. :raises Unavailable: the server refuses it, or the connection ended.
        """
        if not self._config.streams and (reason := no_place_for(self._config, message.headers)):
            raise CannotPublish(reason)
        self._send(self._format.write(message))

    def forward(self, topic: str, body: bytes) -> None:
        """Send a body unchanged."""
        self._send(Message(str(uuid.uuid4()), topic, body))

    def _send(self, message: Message) -> None:
        try:
            if self._config.streams:
                self._line.call("XADD", self._config.streams[0], "*", *fields_of(message))
            else:
                self._line.call("PUBLISH", channel_of(message.topic, self._config), message.body)
        except (Lost, ErrorReply) as error:
            raise Unavailable(_words(self._config, error)) from error

    def close(self) -> None:
        """Close the connection; everything is sent."""
        self._line.close()


def _of_a_channel(config: Config) -> Config:
    """The same for messages that have no fields: all of an envelope or an event is in the body."""
    return config.model_copy(update={"publish_channel": "{topic}", "cloudevents_mode": "structured"})


def channel_of(topic: str, config: Config) -> str:
    """A channel of messages that the hub receives with this topic. :raises CannotPublish: there is none."""
    if any(fnmatch.fnmatchcase(topic, one) for one in config.channels):
        return topic
    plain = [one for one in config.channels if not PATTERN & set(one)]
    if config.format == "fedmsg" and plain:
        return plain[0]
    raise CannotPublish(f"no channel of the backend brings messages for {topic}: it has {', '.join(config.channels)}")


def listen(config: Config, sleep: Callable[[float], None] = time.sleep) -> Iterator[Message]:
    """Yield messages as they arrive, without end; connect again when the connection ends. Of a stream none is left out.

    :raises Unavailable: at the start no server answers; or it refuses what the hub reads.
    """
    line = connect(config, BLOCK)
    last: dict[str, bytes] = {}
    try:
        while True:
            try:
                yield from _entries(config, line, last) if config.streams else _messages(config, line)
            except (Lost, ErrorReply) as error:
                if isinstance(error, ErrorReply) and not wants_another(error):
                    raise Unavailable(_words(config, error)) from error
                line.close(abort=True)
                line = connect_again(lambda: connect(config, BLOCK), _words(config, error), _log, sleep)
    finally:
        line.close()


def _entries(config: Config, line: Line, last: dict[str, bytes]) -> Iterator[Message]:
    """:param last: the id of the last entry of each stream that was read; it is kept up to date."""
    format = format_of(config, time.time)
    for stream in [one for one in config.streams if one not in last]:
        found = line.call("XREVRANGE", stream, "+", "-", "COUNT", 1)
        last[stream] = found[0][0] if found else b"0-0"
    while True:
        places = ("BLOCK", int(BLOCK * 1000), "STREAMS", *last, *last.values())
        for name, rows in line.call("XREAD", "COUNT", config.count, *places) or ():
            stream = name.decode()
            for entry in found_in(rows):
                last[stream] = entry.id
                yield from _usable(stream, entry, config, format)


def _messages(config: Config, line: Line) -> Iterator[Message]:
    format = format_of(config, time.time)
    for channel in config.channels:
        line.send("PSUBSCRIBE" if PATTERN & set(channel) else "SUBSCRIBE", channel)
    while True:
        if not line.waits(BLOCK):
            continue
        reply = line.read()
        if reply[0] in (b"message", b"pmessage"):
            fields = (b"id", new_id(time.time()).encode(), b"body", reply[-1])
            yield from _usable(reply[-2].decode("utf-8", "replace"), Found(b"0", fields), config, format)


def _usable(place: str, entry: Found, config: Config, format: Format) -> Iterator[Message]:
    """The message of an entry; none if it can't be used, which is logged."""
    now, fields = time.time(), entry.fields or ()
    try:
        made = message_of(place, entry.id, fields, config, format, now, "")
    except Unusable as error:
        _log.warning("unusable message: %s", error, extra={"action": "refuse"})
    except Exception as error:  # noqa: BLE001 - the others are shown all the same
        unread(error, Message("", place, body_of(fields)), _log)
    else:
        yield made
