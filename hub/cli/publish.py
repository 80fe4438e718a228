"""``hubbub publish``."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable

import click
import msgspec

from hub.cli.bus import choose, tools
from hub.cli.common import ConfigReader, client_of, config_option, json_option
from hub.cli.output import say
from hub.errors import Unavailable
from hub.headers import checked
from hub.message import HeaderValue, Message, new_id


@click.command()
@click.argument("topic")
@click.argument("body", default="{}")
@config_option
@json_option
@click.option("--backend", metavar="NAME", help="The backend to send through [default: the first].")
@click.option("--through-hub", is_flag=True, help="Have the running hub send it, from its own publishing socket.")
@click.option(
    "--header",
    "headers",
    metavar="NAME=TEXT",
    multiple=True,
    callback=lambda context, option, given: headers_of(given),
    help="A header, such as traceparent=00-...; severity:=20 is a number, flag:=true a truth value. Can be repeated.",
)
@click.option("--wait", default=5.0, show_default=True, help="Seconds to wait for a subscriber.")
def publish(
    load_config: ConfigReader,
    topic: str,
    body: str,
    as_json: bool,
    backend: str | None,
    through_hub: bool,
    headers: dict[str, HeaderValue],
    wait: float,
) -> None:
    """Publish one message to the bus that the hub listens to.

    BODY is JSON; any other text becomes a JSON string; "-" reads it from standard input. On a bus with envelopes
    (fedmsg) BODY is the content of the envelope.
    """
    raw = _as_json(sys.stdin.read() if body == "-" else body)
    if through_hub:
        order: dict[str, object] = {"topic": topic, "body": msgspec.Raw(raw), "backend": backend, "headers": headers}
        sent = client_of(load_config).post("/publish", order)
        later = "" if sent["confirmed"] else ": the bus has not confirmed it yet; the hub tries until it does"
        say(as_json, sent, f"{sent['id']}{later}")
        return
    part = choose(load_config(), backend, "let the running hub send it, with --through-hub")
    message = Message(new_id(time.time()), topic, raw, headers)
    sender = tools(part).sender(part.config)
    try:
        if not sender.wait(wait):
            raise Unavailable(f"backend {part.name} has no subscriber: the message was not sent")
        sender.publish(message)
    finally:
        sender.close()
    say(as_json, {"id": message.id}, message.id)


def _as_json(text: str) -> bytes:
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return msgspec.json.encode(text.rstrip("\n"))
    return text.encode()


def headers_of(given: Iterable[str]) -> dict[str, HeaderValue]:
    """Headers by name, from the values of ``--header``. :raises click.BadParameter: one is neither ``NAME=TEXT`` nor
    ``NAME:=JSON``."""
    headers: dict[str, HeaderValue] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise click.BadParameter(f"expected NAME=TEXT or NAME:=JSON, not {text!r}")
        headers[name.removesuffix(":")] = _value_of(text, value) if name.endswith(":") else value
    try:
        return checked(headers)
    except (TypeError, ValueError) as error:
        raise click.BadParameter(str(error)) from error


def _value_of(text: str, value: str) -> HeaderValue:
    try:
        found: HeaderValue = msgspec.json.decode(value, type=HeaderValue)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise click.BadParameter(f"expected a number, true, false or a quoted text behind :=, not {text!r}") from error
    return found
