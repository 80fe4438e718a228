"""The settings of a ``[servers.NAME]`` table with ``type = "web"``."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Literal

from pydantic import AfterValidator

from hub.monitoring.web.address import valid
from hub.settings import Duration, FilePath, Settings, setting

NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*", re.IGNORECASE)
"""With underscores, which container runtimes have in names."""


def _host(name: str) -> str:
    try:
        return str(ipaddress.ip_address(name.strip("[]")))
    except ValueError:
        pass
    if not NAME.fullmatch(name):
        raise ValueError(f"expected a host's name or number, without scheme and port, not {name!r}")
    return name.lower()


class WebConfig(Settings):
    """Where the page is served, under which names, and what may be done there."""

    listen: Annotated[str, AfterValidator(valid)] = setting(
        "127.0.0.1:9941",
        "'127.0.0.1:9941', '[::1]:9941', or 'unix:/path', whose permissions stand in for the token. It is plain HTTP: "
        "beyond this machine, put a reverse proxy with TLS before it.",
    )
    mode: str = setting("0660", "Permissions of a Unix socket, octal: who may connect may act.", pattern="^0?[0-7]{3}$")
    public_hosts: list[Annotated[str, AfterValidator(_host)]] = setting(
        [],
        "Names by which browsers reach it, beside localhost and the listening address, such as the reverse proxy's. "
        "Requests for any other are refused.",
        max_length=100,
    )
    read_only: bool = setting(False, "true: shows all and changes nothing, whoever asks.")
    anonymous: Literal["numbers", "nothing"] = setting(
        "numbers",
        "What whoever reaches the port sees without a token: counts, states and names, or nothing but /healthz and "
        "/readyz. 'nothing': Prometheus needs a token with the right 'numbers'.",
    )
    session: Duration = setting(
        "12h", "How long a page that was opened by a link of 'hubbub web' may act; then it asks for a token.", gt=0
    )
    token_file: FilePath | None = setting(
        None,
        "The token that actions need; it is made when the file is missing. Unset: web.token in state_dir.",
        example="/var/lib/hubbub/web.token",
    )
    spike_from: int = setting(
        100, "A spike begins when a backlog reaches this, and is over at a tenth of it.", ge=1, le=1_000_000_000_000
    )
