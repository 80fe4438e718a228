"""The contract of a plugin's verbs: a consumer offers numbers, an action and a page; both servers serve them as they
serve the hub's own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest
from openapi_spec_validator import validate
from twisted.internet.task import Clock

from hub.consumer import Consumer, Context
from hub.errors import OrderRefused
from hub.http.mounts import PluginMounts
from hub.http.verb import HTML, Nothing, Verb
from hub.monitoring.web.server import Web
from hub.monitoring.web.token import read
from tests.conftest import ReactorThread
from tests.unit.control_hub import ControlledHub
from tests.unit.monitoring.web.web_server import RecordingAudit, ask, context
from tests.unit.requests import ask as ask_socket


class Count(msgspec.Struct):
    """Mails that wait."""

    waiting: int


class Held(msgspec.Struct, forbid_unknown_fields=True):
    """Whose mails are held."""

    user: str


class Outbox(Verb):
    """Count the mails that wait."""

    path = "outbox"
    result: ClassVar[Any] = Count

    def __init__(self, plugin: Toy) -> None:
        self.plugin = plugin

    def carry_out(self, order: Nothing) -> Count:
        return Count(len(self.plugin.held))


class Hold(Outbox):
    """Hold the mails of a user."""

    path, method, access, order = "hold", "POST", "actions", Held

    def carry_out(self, order: Any) -> Count:
        self.plugin.held.append(order.user)
        return Count(len(self.plugin.held))


class Page(Outbox):
    """Show a page for people."""

    path, access, result, media = "page", "numbers", str, HTML

    def carry_out(self, order: Nothing) -> Any:
        return b"<!doctype html><title>Mails</title>"


class Toy(Consumer):
    """A consumer with an API of its own."""

    def __init__(self, context: Context | None = None) -> None:
        self.held: list[str] = []

    def consume(self, message: object) -> None: ...

    def verbs(self) -> Sequence[Verb]:
        return [Outbox(self), Hold(self), Page(self)]


def mounted(name: str = "mail/out") -> PluginMounts:
    mounts = PluginMounts()
    mounts.mount("consumers", name, Toy().verbs())
    return mounts


@pytest.fixture
def hub(reactor_thread: ReactorThread, tmp_path: Path) -> Iterator[ControlledHub]:
    made = ControlledHub(reactor_thread, tmp_path / "hub.sock")
    made.mounts = mounted()
    made.listen()
    yield made
    made.close()


def test_the_control_socket_serves_them_and_audits_the_action(hub: ControlledHub) -> None:
    client = hub.client()
    assert client.get("/consumers/mail%2Fout/outbox") == {"waiting": 0}
    assert client.post("/consumers/mail%2Fout/hold", {"user": "fay"}) == {"waiting": 1}
    with pytest.raises(OrderRefused, match="unknown field `who`"):
        client.post("/consumers/mail%2Fout/hold", {"user": "fay", "who": 1})
    done, refused = map(json.loads, hub.path.with_name("audit.log").read_text().splitlines())
    assert (done["action"], done["order"], done["outcome"]) == (
        "consumers/mail%2Fout/hold",
        {"user": "fay"},
        "done",
    )
    assert refused["outcome"].startswith("refused: Object contains unknown field")
    page = ask_socket(hub.path, "GET", "/consumers/mail%2Fout/page")
    assert (page.getheader("Content-Type"), page.read()) == (HTML, b"<!doctype html><title>Mails</title>")
    with pytest.raises(OrderRefused, match="there is nothing at /consumers/other/outbox"):
        client.get("/consumers/other/outbox")


def test_they_are_in_the_description(hub: ControlledHub) -> None:
    found = hub.client().get("/openapi.json")
    validate(found)
    paths = found["paths"]
    assert {"/consumers/mail%2Fout/outbox", "/consumers/mail%2Fout/page", "/pause"} <= set(paths)
    hold = paths["/consumers/mail%2Fout/hold"]["post"]
    assert (hold["summary"], hold["security"]) == ("Hold the mails of a user.", [{"token": []}])
    assert HTML in paths["/consumers/mail%2Fout/page"]["get"]["responses"]["200"]["content"]


def test_the_web_server_serves_them_behind_its_guard(tmp_path: Path) -> None:
    clock, audit = Clock(), RecordingAudit()
    given = context(tmp_path, clock, audit=audit)
    object.__setattr__(given, "plugins", mounted("mail").now)
    web = Web(given, clock.seconds)
    assert web._token is not None
    web._token.prepare()
    token = {"X-Hubbub-Token": read(tmp_path / "web.token")}
    assert ask(web._site, "GET", "/consumers/mail/outbox").json() == {"waiting": 0}
    body = b'{"user": "fay"}'
    assert ask(web._site, "POST", "/consumers/mail/hold", body=body).code == 401
    assert ask(web._site, "POST", "/consumers/mail/hold", {"Origin": "http://evil.example"}, body).code == 403
    assert ask(web._site, "POST", "/consumers/mail/hold", token, body).json() == {"waiting": 1}
    assert [entry[1:] for entry in audit.noted if entry[2] == "done"] == [("consumers/mail/hold", "done")]
    page = ask(web._site, "GET", "/consumers/mail/page")
    assert (page.headers["content-type"], "content-security-policy" in page.headers) == (HTML, True)
    assert "/consumers/mail/hold" in ask(web._site, "GET", "/api/openapi.json").json()["paths"]
    hidden = Web(context(tmp_path, clock, anonymous="nothing"), clock.seconds)
    assert ask(hidden._site, "GET", "/consumers/mail/outbox").code == 401


def test_those_of_a_part_are_replaced_and_removed() -> None:
    mounts = mounted("mail")
    mounts.mount("consumers", "mail", [Page(Toy())])
    mounts.mount("backends", "mail", [Page(Toy())])
    assert {place: len(verbs) for place, verbs in mounts.now().items()} == {"consumers/mail": 1, "backends/mail": 1}
    mounts.unmount("consumers", "mail")
    assert list(mounts.now()) == ["backends/mail"]
    mounts.mount("backends", "mail", ())
    assert dict(mounts.now()) == {}
