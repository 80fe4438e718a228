"""Heart-beats of a STOMP connection: what both sides agree on, and the two timers.

The rule is that of the specification: a side beats at the longer of two intervals, the one that it can do and the one
that the other wants, and not at all if either is zero.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from hub.backends.stomp.frame import ProtocolError
from hub.backends.stomp.head import number_of, shown

BEATS_IN_AN_INTERVAL = 2
"""We beat twice in an agreed interval: peers that count strictly from the last beat that they noticed stay calm."""
TOLERANCE = 2
"""A peer is silent after so many of its intervals: the network and a busy machine may be late."""
_LONGEST = 7 * 24 * 3600 * 1000
"""Milliseconds; who wants beats more seldom needs none."""
_SECOND_LOOK = 0.1
"""Seconds. The reactor may have stood still: it then reads what came meanwhile after its timers."""


class Beats(NamedTuple):
    """Intervals of beats that one side can keep and wants, or that are agreed on, in milliseconds; zero is none.

    Its text is that of a ``heart-beat`` header.

    :ivar send: between the beats that this side sends. :ivar expect: between those that it wants to get.
    """

    send: int
    expect: int

    def __str__(self) -> str:
        return f"{self.send},{self.expect}"

    @classmethod
    def parse(cls, header: str | None) -> Beats:
        """Parse the header of CONNECT or CONNECTED; without one there are no beats.

        :raises ProtocolError: it is no two numbers.
        """
        if not header:
            return NONE
        match [number_of(text.strip()) for text in header.split(",")]:
            case [int(send), int(expect)]:
                return cls(send, expect)
        raise ProtocolError(
            f"heart-beat is {shown(header)}: expected two numbers of milliseconds, such as '10000,10000'"
        )

    def agree(self, theirs: Beats) -> Beats:
        """Agree with the other side. The answer also serves as the header of CONNECTED, where it gives the same
        result on the other side."""
        return Beats(_agreed(self.send, theirs.expect), _agreed(self.expect, theirs.send))


NONE = Beats(0, 0)


def _agreed(can: int, wanted: int) -> int:
    longer = max(can, wanted) if can and wanted else 0
    return longer if longer <= _LONGEST else 0


class HeartBeat:
    """The timers of one connection: one beats by the clock, whatever else was sent; one watches for silence.

    :param clock: Twisted's reactor, or a ``task.Clock``. :param beat: sends a beat.
    :param silent: called once, with the seconds since the peer was heard.
    """

    def __init__(self, clock: Any, beats: Beats, beat: Callable[[], None], silent: Callable[[float], None]) -> None:
        self.beats = beats
        self._clock = clock
        self._beat = beat
        self._silent = silent
        self._pause = beats.send / 1000 / BEATS_IN_AN_INTERVAL
        self._patience = beats.expect / 1000 * TOLERANCE
        self._heard = clock.seconds()
        self._beating: Any = None
        self._watching: Any = None

    def start(self) -> None:
        """Start the timers, once the answer to CONNECT is agreed on."""
        if self._pause:
            self._beating = self._clock.callLater(self._pause, self._send)
        self.resume()

    def heard(self) -> None:
        """Note that any data came."""
        self._heard = self._clock.seconds()

    def pause(self) -> None:
        """Stop watching while nothing is read from the peer."""
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None

    def resume(self) -> None:
        """Watch; the peer has all its time again."""
        self.pause()
        self.heard()
        if self._patience:
            self._watching = self._clock.callLater(self._patience, self._watch)

    def stop(self) -> None:
        """Stop both timers."""
        self.pause()
        self._patience = 0.0
        if self._beating is not None:
            self._beating.cancel()
            self._beating = None

    def _send(self) -> None:
        self._beating = self._clock.callLater(self._pause, self._send)
        self._beat()

    def _watch(self) -> None:
        left = self._heard + self._patience - self._clock.seconds()
        if left > 0:
            self._watching = self._clock.callLater(left, self._watch)
        else:
            self._watching = self._clock.callLater(_SECOND_LOOK, self._judge, self._heard)

    def _judge(self, before: float) -> None:
        self._watching = None
        if self._heard > before:
            self._watch()
        else:
            self._silent(self._clock.seconds() - before)
