"""Trimming of streams: what the configuration says, and of what is not acknowledged nothing, unless it says so."""

from __future__ import annotations

from hub.backends.redis.group import after, floors, parse_id
from hub.backends.redis.line import Line
from hub.backends.redis.settings import Config


class Trimmer:
    """Trims streams. :ivar trimmed: entries taken out. :ivar held_by: by stream, the group whose unacknowledged entries
    are the oldest."""

    def __init__(self, config: Config) -> None:
        self.trimmed = 0
        self.held_by: dict[str, str] = {}
        self._config = config

    def trim(self, line: Line, stream: str) -> None:
        """Trim a stream, about: the server frees whole nodes of a hundred entries or so."""
        config = self._config
        if config.trim == "never":
            return
        if config.keep_length is not None:
            self.trimmed += int(line.call("XTRIM", stream, "MAXLEN", "~", config.keep_length))
            return
        least = [self._age_limit(line)] if config.keep_age is not None else []
        if config.trim == "acknowledged":
            held = min(((after(floor), name) for name, floor in floors(line, stream)), key=lambda one: parse_id(one[0]))
            self.held_by[stream] = held[1].decode("utf-8", "replace")
            least.append(held[0])
        self.trimmed += int(line.call("XTRIM", stream, "MINID", "~", min(least, key=parse_id)))

    def _age_limit(self, line: Line) -> bytes:
        """The id of an entry of that age, by the server's clock, which made the ids."""
        seconds, microseconds = map(int, line.call("TIME"))
        now = seconds * 1000 + microseconds // 1000
        return b"%d-0" % max(0, now - int((self._config.keep_age or 0.0) * 1000))
