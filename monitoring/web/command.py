"""``hubbub web``: how to open the page."""

from __future__ import annotations

import os
import time
from pathlib import Path

import click
import msgspec

from hub.cli.common import ConfigReader, config_option, json_option
from hub.configuration.schema import Configuration, Part
from hub.control.audit import AUDIT_FILE, Audit
from hub.errors import ConfigError, Unavailable
from hub.statefiles import as_owner
from hub.unixsocket import ourselves
from monitoring.web import Web
from monitoring.web.address import TcpAddress, parse
from monitoring.web.token import create, read, token_path


@click.command()
@config_option
@json_option
@click.option("--server", metavar="NAME", help="Which web server, where there are several [default: the first].")
@click.option("--new-token", is_flag=True, help="Make a new token; the old one is good for nothing from then on.")
def web(load_config: ConfigReader, as_json: bool, server: str | None, new_token: bool) -> None:
    """Show the address of the web page, with the token that lets its reader act: keep it to yourself."""
    configuration = load_config()
    part = _choose(configuration, server)
    address = parse(part.config.listen)
    if not isinstance(address, TcpAddress):
        _show_socket(address.path, new_token, as_json)
        return
    path = token_path(part.config, configuration.state_dir)
    who = ourselves()  # before root becomes another
    directory = as_owner(path.parent)
    token = _token(directory / path.name, path, new_token)
    if new_token:
        state = directory if path.parent == configuration.state_dir else as_owner(configuration.state_dir)
        audit = Audit(state / AUDIT_FILE, time.time)
        audit.note(who, "new-token", _NewToken(part.name), "done")
    urls = [address.url, *(f"https://{host}/" for host in part.config.public_hosts)]
    if as_json:
        click.echo(msgspec.json.encode({"urls": urls, "socket": None, "token": token}).decode())
        return
    click.echo(f"{urls[0]}#token={token}")
    for url in urls[1:]:
        click.echo(f"{url}#token={token}    (through the reverse proxy)")


class _NewToken(msgspec.Struct):
    """For the audit log: the hub has no part in it."""

    server: str


def _choose(configuration: Configuration, name: str | None) -> Part:
    servers = {part.name: part for part in configuration.servers.values() if issubclass(part.plugin.cls, Web)}
    if name is None and servers:
        return next(iter(servers.values()))
    if name not in servers:
        known = ", ".join(servers) or 'none; [servers.web] with type = "web" makes one'
        raise ConfigError([f"no web server {f'{name!r} ' if name else ''}is configured; there are: {known}"])
    return servers[name]


def _token(path: Path, shown: Path, new: bool) -> str:
    """:raises Unavailable: the hub has not made it yet. :raises ConfigError: it can't be read or used."""
    if not path.exists():
        if path.parent.is_dir() and not os.access(path.parent, os.X_OK):
            raise Unavailable(f"the token file {shown} is not yours to read: it belongs to the hub's user")
        raise Unavailable(f"there is no token yet: the hub makes {shown} when it starts")
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
