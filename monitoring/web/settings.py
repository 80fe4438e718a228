"""Settings of a ``[servers.NAME]`` table with ``type = "web"``."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Literal

from pydantic import AfterValidator

from hub.address import valid
from hub.settings import Duration, FilePath, Settings, setting

NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*", re.IGNORECASE)
"""Pattern of a host's name, with underscores, which container runtimes use."""


def _host(name: str) -> str:
    try:
        return str(ipaddress.ip_address(name.strip("[]")))
    except ValueError:
        pass
    if not NAME.fullmatch(name):
        raise ValueError(f"expected a host's name or address, without scheme and port, not {name!r}")
    return name.lower()


class WebConfig(Settings):
    """Settings of the page's address, names, rights and history."""

    listen: Annotated[str, AfterValidator(valid)] = setting(
        "127.0.0.1:9941",
        "'127.0.0.1:9941', '[::1]:9941', or 'unix:/path', whose permissions replace the token. It is plain HTTP: for "
        "access from other machines use a reverse proxy with TLS.",
    )
    mode: str = setting(
        "0660", "Permissions of a Unix socket, octal. Any user who can connect may act.", pattern="^0?[0-7]{3}$"
    )
    public_hosts: list[Annotated[str, AfterValidator(_host)]] = setting(
        [],
        "Names that browsers use for it besides localhost and the listening address, such as the reverse proxy's. "
        "Requests with another name are refused.",
        max_length=100,
    )
    read_only: bool = setting(False, "true: all actions are forbidden, even with a token.")
    anonymous: Literal["numbers", "nothing"] = setting(
        "numbers",
        "Access without a token. 'numbers': counts, states and names. 'nothing': only /healthz and /readyz, so that "
        "Prometheus needs a token with the right 'numbers'.",
    )
    session: Duration = setting(
        "12h", "Time for which a page opened by a link of 'hubbub web' may act; then it asks for a token.", gt=0
    )
    token_file: FilePath | None = setting(
        None,
        "File of the token that actions need; it is created if it is missing. Unset: web.token in state_dir.",
        example="/var/lib/hubbub/web.token",
    )
    spike_from: int = setting(
        100, "Backlog at which a spike begins; it ends at a tenth of this.", ge=1, le=1_000_000_000_000
    )
