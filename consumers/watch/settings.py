"""Settings of the watch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from hub.consumers.sending.rate import Rate
from hub.settings import Duration, Settings, setting
from hub.topics import is_pattern

Limit = Annotated[int, Field(ge=1)]
Time = Annotated[Duration, Field(gt=0)]


class Config(Settings):
    """Settings of the rules and the alerts."""

    silent: dict[str, Time] = setting(
        {}, "Topic patterns, and how long none of their messages may come: { 'org.example.build.#' = '1h' }."
    )
    spike: dict[str, Rate] = setting(
        {}, "Topic patterns, and the rate above which they are a spike: { 'org.example.git.#' = '100/m' }."
    )
    catch_up: dict[str, Time] = setting(
        {},
        "Consumers, and the limit of their time to catch up: { archive = '10m' }. One that falls behind is beyond any.",
    )
    backlog: dict[str, Limit] = setting({}, "Consumers, and the limit of their backlog: { archive = 10000 }.")
    window: Duration = setting("1m", "Time over which the rate of 'spike' is taken.", ge=1, le=3600)
    hold: Duration = setting(
        "30s",
        "How long a limit of 'spike', 'catch_up' or 'backlog' must be passed before the alert, and the value be calm "
        "before it is over.",
    )
    calm: float = setting(0.8, "A value is calm at this part of its limit, or below.", gt=0, le=1)
    alert_topic: str = setting(
        "hubbub.alert",
        "Beginning of the topics of alerts; the name of the rule follows: 'hubbub.alert.silent'.",
        pattern=r"^[^\s.*#]+(\.[^\s.*#]+)*$",
        max_length=200,
    )
    backend: str | None = setting(
        None, "Name of the backend that alerts are published to. Unset: the only one.", min_length=1
    )

    def contradictions(self) -> Iterator[str]:
        """Yield what can't be."""
        if not (self.silent or self.spike or self.catch_up or self.backlog):
            yield "there is nothing to watch: set silent, spike, catch_up or backlog"
        for name, patterns in (("silent", self.silent), ("spike", self.spike)):
            for pattern in patterns:
                if not is_pattern(pattern):
                    yield f"{name}: expected topic patterns such as 'a.b.c', 'a.b.*' or 'a.#', not {pattern[:100]!r}"

    def uses_of_backends(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield the backend, if it is named, after the place of the setting."""
        if self.backend is not None:
            yield ("backend",), self.backend
