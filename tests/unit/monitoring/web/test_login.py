"""Links that open the page, and sessions."""

from __future__ import annotations

from hub.monitoring.web.login import CODE_FOR, Codes, is_session, make_code, make_session
from hub.monitoring.web.token import FORM

TOKEN = b"t" * 43
NOW = 1_795_224_384.5


class Wall:
    now = NOW

    def __call__(self) -> float:
        return self.now


def test_a_code_is_good_once() -> None:
    codes, code = Codes(Wall()), make_code(TOKEN.decode(), NOW).encode()
    assert codes.take(TOKEN, code)
    assert not codes.take(TOKEN, code)
    assert codes.take(TOKEN, make_code(TOKEN.decode(), NOW).encode())


def test_and_for_a_minute() -> None:
    wall = Wall()
    codes, code = Codes(wall), make_code(TOKEN.decode(), NOW).encode()
    wall.now = NOW + CODE_FOR
    assert not codes.take(TOKEN, code)
    assert codes._used == {}


def test_one_that_may_have_been_used_before_a_restart_is_refused() -> None:
    wall = Wall()
    wall.now = NOW + 5
    assert not Codes(wall).take(TOKEN, make_code(TOKEN.decode(), NOW).encode())


def test_one_that_is_altered_or_of_another_token_is_refused() -> None:
    code = make_code(TOKEN.decode(), NOW).encode()
    later = str(int(NOW) + 1000).encode() + code[code.index(b".") :]
    for wrong in (b"", b".", b"x", later, code[:-1], make_code("u" * 43, NOW).encode(), b"9" * 500):
        assert not Codes(Wall()).take(TOKEN, wrong)
    assert Codes(Wall()).take(TOKEN, code)


def test_used_codes_are_forgotten_when_they_are_over() -> None:
    wall = Wall()
    codes = Codes(wall)
    for _ in range(10):
        assert codes.take(TOKEN, make_code(TOKEN.decode(), wall.now).encode())
    wall.now += CODE_FOR + 1
    assert codes.take(TOKEN, make_code(TOKEN.decode(), wall.now).encode())
    assert len(codes._used) == 1


def test_a_session_is_good_until_its_end_and_as_long_as_its_token_is() -> None:
    session = make_session(TOKEN, NOW + 100).encode()
    assert FORM.fullmatch(session.decode())
    assert is_session(TOKEN, session, NOW + 99)
    assert not is_session(TOKEN, session, NOW + 100)
    assert not is_session(b"u" * 43, session, NOW)


def test_a_code_is_no_session_and_a_session_no_code() -> None:
    assert not is_session(TOKEN, make_code(TOKEN.decode(), NOW).encode(), NOW)
    assert not Codes(Wall()).take(TOKEN, make_session(TOKEN, NOW + 60).encode())
