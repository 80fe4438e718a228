"""``hubbub publish``."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable

import click
import msgspec

from hub.cli.bus import choose, tools
from hub.cli.common import ConfigReader, client_of, config_option, json_option
from hub.cli.saying import say
from hub.errors import Unavailable
from hub.message import Message, new_id


@click.command()
@click.argument("topic")
@click.argument("body", default="{}")
@config_option
@json_option
@click.option("--backend", metavar="NAME", help="Which bus, where there are several [default: the first].")
@click.option("--through-hub", is_flag=True, help="Have the running hub send it, from its own publishing socket.")
@click.option(
    "--header",
    "headers",
    metavar="NAME=VALUE",
    multiple=True,
    callback=lambda context, option, given: headers_of(given),
    help="A header, such as traceparent=00-...; may be given more than once.",
)
@click.option("--wait", default=5.0, show_default=True, help="Seconds to wait for somebody who listens.")
def publish(
    load_config: ConfigReader,
    topic: str,
    body: str,
    as_json: bool,
    backend: str | None,
    through_hub: bool,
    headers: dict[str, str],
    wait: float,
) -> None:
    """Publish one message to the bus that the hub listens to.

    BODY is JSON, or any text, which becomes a JSON string; "-" reads it from standard input. On a bus with an envelope
    (fedmsg's) it is what the envelope carries.
    """
    raw = _as_json(sys.stdin.read() if body == "-" else body)
    if through_hub:
        order: dict[str, object] = {"topic": topic, "body": msgspec.Raw(raw), "backend": backend, "headers": headers}
        sent = client_of(load_config).post("/publish", order)["id"]
        say(as_json, {"id": sent}, sent)
        return
    part = choose(load_config(), backend)
    message = Message(new_id(time.time()), topic, raw, headers)
    sender = tools(part).sender(part.config)
    try:
        if not sender.wait(wait):
            raise Unavailable(f"nobody listens on {part.name}: the message was not sent")
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


def headers_of(given: Iterable[str]) -> dict[str, str]:
    """Of what stood behind each ``--header``. :raises click.BadParameter: it is no ``NAME=VALUE``."""
    headers = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise click.BadParameter(f"expected NAME=VALUE, not {text!r}")
        headers[name] = value
    return headers
