"""Command ``hubbub web``: shows a link that opens the page, and manages tokens."""

from __future__ import annotations

import os
import time
from datetime import datetime
from pathlib import Path

import click
import msgspec

from hub.address import TcpAddress, parse
from hub.cli.common import ConfigReader, config_option, json_option
from hub.cli.group import Group
from hub.configuration.schema import Configuration, Part
from hub.control.audit import AUDIT_FILE, Audit
from hub.errors import ConfigError, Unavailable
from hub.http.access import Right
from hub.monitoring.web import Web, tokens
from hub.monitoring.web.login import make_code
from hub.monitoring.web.token import create, read, token_path
from hub.settings import duration_of
from hub.statefiles import as_owner
from hub.unixsocket import ourselves


@click.group(cls=Group, invoke_without_command=True)
@config_option
@json_option
@click.option("--server", metavar="NAME", help="The web server, if there are several [default: the first].")
@click.option("--new-token", is_flag=True, help="Make a new token; the old one becomes invalid.")
@click.pass_context
def web(context: click.Context, load_config: ConfigReader, as_json: bool, server: str | None, new_token: bool) -> None:
    """Show a link that opens the web page with the right to act. It works once, for a minute.

    With --json it shows the token instead of a link: keep it secret.
    """
    if context.invoked_subcommand is not None:
        return
    place = _Place(load_config(), server)
    address = parse(place.part.config.listen)
    if not isinstance(address, TcpAddress):
        _show_socket(address.path, new_token, as_json)
        return
    token = _token(place.directory / place.path.name, place.path, new_token)
    if new_token:
        place.note("new-token", _NewToken(place.part.name))
    urls = [address.url, *(f"https://{host}/" for host in place.part.config.public_hosts)]
    if as_json:
        click.echo(msgspec.json.encode({"urls": urls, "socket": None, "token": token}).decode())
        return
    code = make_code(token, time.time())
    click.echo(f"{urls[0]}#code={code}")
    for url in urls[1:]:
        click.echo(f"{url}#code={code}    (through the reverse proxy)")
    click.echo("works once, for a minute", err=True)


@web.command("tokens")
@config_option
@json_option
@click.option("--server", metavar="NAME", help="The web server, if there are several [default: the first].")
def list_tokens(load_config: ConfigReader, as_json: bool, server: str | None) -> None:
    """List the named tokens with their rights and expiry."""
    found = tokens.read(_Place(load_config(), server).tokens)
    now = time.time()
    if as_json:
        rows = [{**msgspec.structs.asdict(one), "good": one.good(now)} for one in found]
        click.echo(msgspec.json.encode([{k: v for k, v in row.items() if k != "sha256"} for row in rows]).decode())
        return
    for one in found:
        click.echo(f"{one.name:<20} {', '.join(one.rights):<28} {_until(one, now)}")
    if not found:
        click.echo("there are no named tokens; 'hubbub web add-token NAME' makes one", err=True)


@web.command("add-token")
@click.argument("name")
@config_option
@json_option
@click.option("--server", metavar="NAME", help="The web server, if there are several [default: the first].")
@click.option(
    "--rights",
    default="numbers",
    show_default=True,
    metavar="LIST",
    callback=lambda context, option, given: _rights_of(given),
    help="numbers, contents, actions; separated by commas. Each includes numbers.",
)
@click.option("--expires", metavar="TIME", help="30d, 12h [default: never].")
def add_token(
    load_config: ConfigReader, name: str, as_json: bool, server: str | None, rights: list[Right], expires: str | None
) -> None:
    """Make a named token, for a program or a colleague. It is shown only once."""
    lasts = _lasts(expires)
    place = _Place(load_config(), server)
    token = tokens.add(place.tokens, name, rights, time.time(), lasts)
    place.note("add-token", _NamedToken(place.part.name, name, rights, expires))
    click.echo(msgspec.json.encode({"name": name, "token": token}).decode() if as_json else token)


@web.command("remove-token")
@click.argument("name")
@config_option
@click.option("--server", metavar="NAME", help="The web server, if there are several [default: the first].")
def remove_token(load_config: ConfigReader, name: str, server: str | None) -> None:
    """Remove a named token. It becomes invalid, and pages opened with it are closed."""
    place = _Place(load_config(), server)
    tokens.remove(place.tokens, name)
    place.note("remove-token", _NamedToken(place.part.name, name))


class _Place:
    """Place of a server's tokens. Root becomes the owner of that directory.

    :ivar part: the server's settings. :ivar path: of the server's own token, for messages.
    :ivar directory: the directory of the tokens, to open files in. :ivar tokens: the file of the named tokens.
    """

    def __init__(self, configuration: Configuration, server: str | None) -> None:
        self.part = _choose(configuration, server)
        self.path = token_path(self.part.config, configuration.state_dir)
        self._who = ourselves()  # before root becomes another user
        self._state_dir = configuration.state_dir
        self.directory = self.path.parent
        if isinstance(parse(self.part.config.listen), TcpAddress):
            self.directory = as_owner(self.path.parent)
        self.tokens = tokens.tokens_path(self.directory / self.path.name)

    def note(self, action: str, order: msgspec.Struct) -> None:
        """Write a line into the audit log."""
        same = self.path.parent == self._state_dir
        state = self.directory if same else as_owner(self._state_dir)
        Audit(state / AUDIT_FILE, time.time).note(self._who, action, order, "done")


def _rights_of(given: str) -> list[Right]:
    words = [word.strip() for word in given.split(",")]
    if unknown := [word for word in words if word not in tokens.RIGHTS]:
        raise click.BadParameter(f"expected {', '.join(tokens.RIGHTS)}, not {unknown[0]!r}")
    return [right for right in tokens.RIGHTS if right in words]


def _lasts(expires: str | None) -> float | None:
    try:
        lasts = None if expires is None else duration_of(expires)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--expires") from error
    if lasts is not None and lasts <= 0:
        raise click.BadParameter("expected a time in the future", param_hint="--expires")
    return lasts


def _until(one: tokens.NamedToken, now: float) -> str:
    if one.expires is None:
        return "for good"
    moment = datetime.fromtimestamp(one.expires).astimezone().isoformat(sep=" ", timespec="minutes")
    return f"until {moment}" if one.good(now) else f"over since {moment}"


class _NewToken(msgspec.Struct):
    """Order of a new token, for the audit log; the hub does not take part."""

    server: str


class _NamedToken(msgspec.Struct, omit_defaults=True):
    """Order about a named token, for the audit log."""

    server: str
    name: str
    rights: list[Right] = []
    expires: str | None = None


def _choose(configuration: Configuration, name: str | None) -> Part:
    servers = {part.name: part for part in configuration.of("servers").values() if issubclass(part.plugin.cls, Web)}
    if name is None and servers:
        return next(iter(servers.values()))
    if name not in servers:
        known = ", ".join(servers) or 'none; [servers.web] with type = "web" makes one'
        raise ConfigError([f"no web server {f'{name!r} ' if name else ''}is configured; there are: {known}"])
    return servers[name]


def _token(path: Path, shown: Path, new: bool) -> str:
    """Token in a file. :raises Unavailable: the hub has not made it yet. :raises ConfigError: it can't be used."""
    if not path.exists():
        if path.parent.is_dir() and not os.access(path.parent, os.X_OK):
            raise Unavailable(f"the token file {shown} can't be read: it belongs to the hub's user")
        raise Unavailable(f"there is no token yet: the hub creates {shown} when it starts")
    token = read(path)
    return create(path, replace=True) if new else token


def _show_socket(path: Path, new_token: bool, as_json: bool) -> None:
    if new_token:
        raise ConfigError([f"the page at {path} needs no token: the socket's permissions are the access control"])
    if as_json:
        click.echo(msgspec.json.encode({"urls": [], "socket": str(path), "token": None}).decode())
        return
    click.echo(f"curl --unix-socket {path} http://localhost/readyz")
    click.echo(f"ssh -L 9941:{path} HOST    # then open http://localhost:9941/ on your own machine")
