"""CURVE and PLAIN: who gets in, who does not, and which keys can't be read."""

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import zmq
import zmq.auth
from twisted.internet.task import Clock
from zmq.utils import z85

from hub.backends.zeromq import ZeroMQ
from hub.backends.zeromq.auth import Authenticator
from hub.backends.zeromq.key_revocation import PACE, KeyRevocation
from hub.backends.zeromq.security import Security, allowed_keys
from hub.errors import ConfigError, Unavailable
from tests.support import PATIENCE, free_port
from tests.unit.backends.support import (
    Lines,
    Recorder,
    configured,
    hub_context,
    publisher,
    real_endpoint,
    running,
    subscribed,
    turn_for,
    turn_until,
)

ANY = "tcp://127.0.0.1:*"
MESSAGE = [b"t", b"{}"]


class Keys:
    """A pair on disk."""

    def __init__(self, directory: Path, name: str) -> None:
        self.public_file, self.secret_file = map(Path, zmq.auth.create_certificates(directory, name))
        public, secret = zmq.auth.load_certificate(self.secret_file)
        assert secret is not None
        self.public, self.secret = public, secret
        self.setting = f"file:{self.secret_file}"

    def client_of(self, server: bytes) -> dict[str, Any]:
        """Options of a socket that connects."""
        return {"curve_serverkey": server, "curve_publickey": self.public, "curve_secretkey": self.secret}

    def server(self) -> dict[str, Any]:
        """Options of a socket that binds."""
        return {"curve_server": True, "curve_publickey": self.public, "curve_secretkey": self.secret}


@pytest.fixture
def hub(tmp_path: Path) -> Keys:
    return Keys(tmp_path, "hub")


@pytest.fixture
def friend(tmp_path: Path) -> Keys:
    return Keys(tmp_path, "friend")


@pytest.fixture
def stranger(tmp_path: Path) -> Keys:
    return Keys(tmp_path, "stranger")


def allow(tmp_path: Path, *keys: Keys) -> str:
    path = tmp_path / "allowed"
    path.write_text("# who may\n\n" + "".join(f"{key.public.decode()} a name\n" for key in keys))
    return str(path)


def test_an_allowed_key_gets_in_and_another_does_not(tmp_path: Path, hub: Keys, friend: Keys, stranger: Keys) -> None:
    options: dict[str, Any] = {"curve_secret_key": hub.setting, "curve_allowed_keys_file": allow(tmp_path, friend)}
    with running(bind=[ANY], **options) as (backend, intake):
        endpoint = real_endpoint(backend.status())
        with publisher(endpoint, **stranger.client_of(hub.public)):
            turn_until(lambda: backend.status()["handshake_failures"] == 1, "the refusal")
        with publisher(endpoint):
            turn_until(lambda: backend.status()["handshake_failures"] == 2, "the refusal of one without a key")
        assert backend.status()["peers"] == 0
        with publisher(endpoint, **friend.client_of(hub.public)) as bus:
            subscribed(bus)
            bus.send_multipart(MESSAGE)
            turn_until(lambda: intake.messages, "the friend's message")
        with publisher(endpoint, **hub.client_of(hub.public)) as own:
            subscribed(own)


def test_a_key_is_added_and_withdrawn_without_a_restart(
    tmp_path: Path, hub: Keys, friend: Keys, stranger: Keys
) -> None:
    options: dict[str, Any] = {"curve_secret_key": hub.setting, "curve_allowed_keys_file": allow(tmp_path, friend)}
    with running(bind=[ANY], **options) as (backend, _):
        endpoint = real_endpoint(backend.status())
        allow(tmp_path, friend, stranger)
        with publisher(endpoint, **stranger.client_of(hub.public)) as bus:
            subscribed(bus)
        (tmp_path / "allowed").write_text("spoilt\n")
        with publisher(endpoint, **friend.client_of(hub.public)):
            turn_until(lambda: backend.status()["handshake_failures"] == 1, "the refusal")


def test_who_is_connected_by_a_key_that_is_withdrawn_is_heard_no_more(tmp_path: Path, hub: Keys, friend: Keys) -> None:
    """The others come back by themselves, also to a port that the system chose."""
    other = Keys(tmp_path, "other")
    options: dict[str, Any] = {"curve_secret_key": hub.setting}
    options["curve_allowed_keys_file"] = allow(tmp_path, friend, other)
    with running(bind=[ANY], reconnect_interval=0.01, **options) as (backend, intake):
        endpoint = real_endpoint(backend.status())
        with (
            publisher(endpoint, **friend.client_of(hub.public)) as stays,
            publisher(endpoint, **other.client_of(hub.public)) as goes,
        ):
            subscribed(stays)
            subscribed(goes)
            allow(tmp_path, friend)
            turn_until(lambda: backend.status()["handshake_failures"] >= 1, "the refusal")
            assert real_endpoint(backend.status()) == endpoint
            turn_until(lambda: backend.status()["peers"] == 1, "the other to be back")
            goes.send_multipart([b"org.test.withdrawn", b"{}"])
            turn_until(lambda: stays.send_multipart(MESSAGE) or intake.messages, "the friend's message")
            turn_for(0.3)
            assert {message.topic for message in intake.messages} == {MESSAGE[0].decode()}


def test_nor_does_a_listener_hear_what_is_published(tmp_path: Path, hub: Keys, friend: Keys) -> None:
    options: dict[str, Any] = {"curve_secret_key": hub.setting, "curve_allowed_keys_file": allow(tmp_path, friend)}
    with running(publish_bind=[ANY], **options) as (backend, _):
        endpoint = real_endpoint(backend.status())
        with zmq.Context() as context, context.socket(zmq.SUB) as listener:
            for name, value in friend.client_of(hub.public).items():
                setattr(listener, name, value)
            listener.connect(endpoint)
            turn_until(lambda: backend.status()["peers"] == 1, "the listener")
            allow(tmp_path)
            turn_until(lambda: backend.status()["handshake_failures"] >= 1, "the refusal")
            assert backend.status()["peers"] == 0
            assert real_endpoint(backend.status()) == endpoint


def test_a_file_that_is_empty_for_a_moment_cuts_nobody_off(tmp_path: Path, hub: Keys, friend: Keys) -> None:
    options: dict[str, Any] = {"curve_secret_key": hub.setting, "curve_allowed_keys_file": allow(tmp_path, friend)}
    auth = Authenticator(zmq.Context(), Security.read(configured(bind=[ANY], **options)), tmp_path / "allowed")
    clock, cuts = Clock(), []
    context = hub_context(None, reactor=clock)
    KeyRevocation(auth, lambda: cuts.append(clock.seconds()), context).start()
    assert auth.user(b"CURVE", [z85.decode(friend.public)]) is not None
    for keys in ((), (friend,), (), ()):
        (tmp_path / "allowed").unlink()
        allow(tmp_path, *keys)
        clock.advance(PACE)
    assert cuts == [4 * PACE]
    clock.advance(PACE)
    assert cuts == [4 * PACE]
    auth.close()


def test_an_address_that_can_not_be_bound_again_is_tried_again(tmp_path: Path, hub: Keys, friend: Keys) -> None:
    clock = Clock()
    tries: list[float] = []

    class Auth:
        def revoked(self) -> frozenset[bytes]:
            return frozenset({b"k"}) if not tries else frozenset()

        def forget(self, keys: object) -> None:
            pass

    def cut() -> None:
        tries.append(clock.seconds())
        if len(tries) < 3:
            raise Unavailable("tcp://127.0.0.1:1 can't be bound")

    lines = Lines()
    KeyRevocation(Auth(), cut, hub_context(None, lines, clock)).start()  # type: ignore[arg-type]
    clock.pump([PACE] * 8)
    assert tries == [2 * PACE, 3 * PACE, 4 * PACE]
    assert len([line for line in lines.texts if "retrying" in line]) == 1


def test_without_an_allow_list_our_public_key_lets_in(hub: Keys, friend: Keys) -> None:
    with (
        running(bind=[ANY], curve_secret_key=hub.setting) as (backend, _),
        publisher(real_endpoint(backend.status()), **friend.client_of(hub.public)) as bus,
    ):
        subscribed(bus)


@pytest.mark.parametrize("own_key", [True, False])
def test_connects_to_a_publisher_with_curve(hub: Keys, friend: Keys, own_key: bool) -> None:
    endpoint = f"tcp://127.0.0.1:{free_port()}"
    options: dict[str, Any] = {"curve_server_key_file": str(friend.public_file)}
    if own_key:
        options["curve_secret_key"] = hub.setting
    with (
        publisher(endpoint, bind=True, **friend.server()) as bus,
        running(connect=[endpoint], **options) as (_, intake),
    ):
        subscribed(bus)
        bus.send_multipart(MESSAGE)
        turn_until(lambda: intake.messages, "a message")


def test_is_server_and_client_at_once(hub: Keys, friend: Keys) -> None:
    endpoint = f"tcp://127.0.0.1:{free_port()}"
    options: dict[str, Any] = {"curve_secret_key": hub.setting, "curve_server_key_file": str(friend.public_file)}
    with (
        publisher(endpoint, bind=True, **friend.server()) as far,
        running(connect=[endpoint], bind=[ANY], **options) as (backend, intake),
        publisher(real_endpoint(backend.status()), **friend.client_of(hub.public)) as near,
    ):
        for number, bus in enumerate((far, near), 1):
            subscribed(bus)
            bus.send_multipart(MESSAGE)
            turn_until(lambda: len(intake.messages) == number, "a message")  # noqa: B023


def test_a_refused_hub_tries_again_until_it_is_let_in(tmp_path: Path, hub: Keys, friend: Keys) -> None:
    """ZeroMQ itself gives up after a refusal."""
    with running(publish_bind=[ANY], curve_secret_key=friend.setting, curve_allowed_keys_file=allow(tmp_path)) as (
        other,
        _,
    ):
        options: dict[str, Any] = {"curve_secret_key": hub.setting, "curve_server_key_file": str(friend.public_file)}
        endpoint = real_endpoint(other.status())
        with running(connect=[endpoint], reconnect_interval_max="100ms", **options) as (backend, _):
            turn_until(lambda: backend.status()["handshake_failures"] >= 2, "two refusals")
            allow(tmp_path, hub)
            turn_until(lambda: backend.status()["state"] == "connected", "the hub to be let in")


@pytest.mark.parametrize(("password", "enters"), [(b"right", True), (b"wrong", False)])
def test_plain(tmp_path: Path, password: bytes, enters: bool) -> None:
    (tmp_path / "password").write_text("right\n")
    options: dict[str, Any] = {"plain_username": "bus", "plain_password": f"file:{tmp_path}/password"}
    with running(bind=[ANY], **options) as (backend, _):
        client: dict[str, Any] = {"plain_username": b"bus", "plain_password": password}
        with publisher(real_endpoint(backend.status()), **client) as bus:
            if enters:
                subscribed(bus)
            else:
                turn_until(lambda: backend.status()["handshake_failures"] >= 1, "the refusal")
        assert "right" not in repr(backend.status())


@pytest.mark.parametrize("password", ["", "x" * 256])
def test_a_password_that_zeromq_can_not_take_stops_the_start(tmp_path: Path, password: str) -> None:
    (tmp_path / "password").write_text(password)
    config = configured(bind=[ANY], plain_username="bus", plain_password=f"file:{tmp_path}/password")
    with pytest.raises(ConfigError, match="1 to 255 bytes"):
        ZeroMQ(hub_context(config)).start(Recorder())


def test_no_key_or_password_is_in_a_repr(tmp_path: Path, hub: Keys) -> None:
    security = Security.read(configured(bind=[ANY], curve_secret_key=hub.setting))
    assert hub.secret == security.secret
    assert hub.secret.decode() not in repr(security)


def test_a_key_may_stand_alone_in_its_file(tmp_path: Path, hub: Keys) -> None:
    (tmp_path / "bare").write_text(hub.secret.decode() + "\n")
    assert Security.read(configured(bind=[ANY], curve_secret_key=f"file:{tmp_path}/bare")).public == hub.public


@pytest.mark.parametrize("name", ["curve_secret_key", "curve_server_key_file", "curve_allowed_keys_file"])
@pytest.mark.parametrize("content", [None, "spoilt", "x" * 41, "\ud800"])
def test_a_file_without_a_key_stops_the_start(tmp_path: Path, hub: Keys, name: str, content: str | None) -> None:
    path = tmp_path / "file"
    if content is not None:
        path.write_bytes(content.encode("utf-8", "surrogatepass"))
    options: dict[str, Any] = {"bind": [ANY], "curve_secret_key": hub.setting}
    options[name] = f"file:{path}" if name == "curve_secret_key" else str(path)
    if name == "curve_server_key_file":
        options["connect"] = ["tcp://127.0.0.1:1"]
    with pytest.raises(ConfigError, match="file"):
        ZeroMQ(hub_context(configured(**options))).start(Recorder())


def test_allowed_keys_may_have_names_and_comments(tmp_path: Path, friend: Keys, stranger: Keys) -> None:
    lines = ["#" * 40, "# a comment", "", friend.public.decode() + "  # a name", "\t" + stranger.public.decode()]
    (tmp_path / "keys").write_text("\n".join(lines))
    assert allowed_keys(tmp_path / "keys") == {friend.public, stranger.public}


def test_a_question_that_goes_unanswered_keeps_no_other_from_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    context: Any = zmq.Context()
    authenticator = Authenticator(context, Security("PLAIN", b"u", b"p"), None)
    try:
        clients = [context.socket(zmq.REQ) for _ in range(2)]
        for client in clients:
            client.connect("inproc://zeromq.zap.01")
            client.send_multipart([b"1.0", b"1", b"", b"", b"", b"PLAIN", b"u", b"p"])
        monkeypatch.setattr(authenticator, "user", Mock(side_effect=[RuntimeError, b"u"]))
        assert authenticator.socket.poll(5000 * PATIENCE)
        with pytest.raises(RuntimeError):
            authenticator.drain()
        assert authenticator.socket.poll(5000 * PATIENCE)
        authenticator.drain()
        assert [client.recv_multipart()[2] for client in clients if client.poll(1000)] == [b"200"]
    finally:
        authenticator.close()
        context.destroy(linger=0)


@pytest.mark.parametrize(
    "request_", [[b"1.0"], [b"2.0", b"1", b"", b"", b"", b"NULL"], [b"1.0", b"1", b"", b"", b"", b"CURVE", b"short"]]
)
def test_an_odd_question_is_not_answered_with_yes(request_: list[bytes]) -> None:
    context: Any = zmq.Context()
    authenticator = Authenticator(context, Security("CURVE"), None)
    try:
        client = context.socket(zmq.REQ)
        client.connect("inproc://zeromq.zap.01")
        client.send_multipart(request_)
        authenticator.socket.poll(5000 * PATIENCE)
        authenticator.drain()
        assert client.recv_multipart()[2] != b"200"
    finally:
        authenticator.close()
        context.destroy(linger=0)
