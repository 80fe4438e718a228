"""Settings of the trigger."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import StringConstraints

from hub.consumers.sending.rate import Rate
from hub.consumers.trigger.environment import is_of_message, search_path
from hub.consumers.trigger.program import problem
from hub.settings import Duration, FilePath, Settings, setting

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
Argument = Annotated[str, StringConstraints(max_length=100_000, pattern=r"^[^\x00]*$")]


class Config(Settings):
    """Settings of the command and its limits."""

    command: list[Argument] = setting(
        ...,
        "The program and its arguments, passed on as they are: no shell reads them, and nothing of a message is put "
        "into them. The program is an absolute path, or a name to search in PATH.",
        example=["/bin/sh", "/etc/hubbub/on-message.sh"],
        min_length=1,
        max_length=1000,
    )
    input: Literal["body", "message", "nothing"] = setting(
        "body",
        "What the command reads on its standard input: 'body', the message's body, byte for byte; 'message', a line of "
        "JSON with topic, id, received_at, backend, headers and body; 'nothing'.",
    )
    directory: FilePath | None = setting(
        None, "The command's working directory. Unset: the hub's state_dir.", example="/srv/work"
    )
    environment: dict[str, str] = setting(
        {},
        "Further variables for the command. Of the hub's own it is given PATH, HOME, USER, LOGNAME, SHELL, LANG, "
        "LANGUAGE, TZ, TMPDIR and those for locales (LC) only.",
    )
    longest: Duration = setting(
        "1m", "How long a command may run. Then its process group gets SIGTERM, and the message has failed.", gt=0
    )
    grace: Duration = setting("5s", "How long after SIGTERM the process group gets SIGKILL.")
    stop_after: Duration = setting(
        "10s",
        "How long a command may go on once the hub stops, or a reload replaces the consumer. Then it is ended in the "
        "same way, and its message comes again, not counted as a failure. stop_after and grace together must be "
        "shorter than the hub's stop_timeout.",
    )
    rate: Rate | None = setting(
        None, "Rate at which commands are begun at most, spread evenly. Unset: no limit.", example="60/m"
    )
    log_output: bool = setting(False, "Log the last lines that each command has printed.")

    def contradictions(self) -> Iterator[str]:
        """Yield what is wrong with the command and its variables."""
        for name, value in self.environment.items():
            if not NAME.fullmatch(name):
                yield f"environment: expected names of letters, digits and '_', not {name[:100]!r}"
            elif is_of_message(name):
                yield f"environment: {name[:100]}: that variable is the message's"
            if "\0" in value:
                yield f"environment: {name[:100]!r} has a NUL in its value"
        found = problem(self.command[0], search_path(os.environ, self.environment))
        if found is not None:
            yield f"command: {found}"
