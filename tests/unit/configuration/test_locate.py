"""Where the hub is, by a file with mistakes in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.configuration.loading import load
from hub.configuration.locate import Located, locate
from hub.errors import ConfigError

SOUND = '[hub]\nstate_dir = "s"\n'


def reached(directory: Path, text: str, *overrides: str, environ: dict[str, str] | None = None) -> Located:
    """With something at each place where the socket may be."""
    for place in ("s", "state", "run", "other"):
        (directory / place).mkdir(exist_ok=True)
        (directory / place / "hub.sock").touch()
    (directory / "hub.conf").write_text(text)
    return locate(directory / "hub.conf", overrides, environ or {})


@pytest.mark.parametrize(
    "text",
    [
        "",
        SOUND,
        '[hub]\ncontrol_socket = "other/hub.sock"\n',
        SOUND + 'control_socket = "run/hub.sock"\n',
    ],
)
def test_a_good_file_leads_to_where_the_hub_is(tmp_path: Path, text: str) -> None:
    found = reached(tmp_path, text)
    assert found == Located(load(tmp_path / "hub.conf", (), {}).control_socket)


def test_flag_beats_environment_beats_file(tmp_path: Path) -> None:
    (tmp_path / "hub.conf.d").mkdir()
    (tmp_path / "hub.conf.d" / "1.conf").write_text('[hub]\ncontrol_socket = "../run/hub.sock"\n')
    assert reached(tmp_path, SOUND).socket == tmp_path / "hub.conf.d" / ".." / "run" / "hub.sock"
    variable = {"HUBBUB_HUB__CONTROL_SOCKET": "other/hub.sock"}
    assert reached(tmp_path, SOUND, environ=variable).socket == tmp_path / "other" / "hub.sock"
    found = reached(tmp_path, SOUND, "hub.control_socket=state/hub.sock", environ=variable)
    assert found.socket == tmp_path / "state" / "hub.sock"
    with pytest.raises(ConfigError, match="expected PATH=VALUE"):
        reached(tmp_path, SOUND, "hub")


@pytest.mark.parametrize(
    "mistake",
    [
        "log_level = 5\nunknown = 1\n",
        '[consumers.c]\ntype = "gone.py:Gone"\n',
        "[consumers]\nc = 5\n[backends.b]\n",
        "[nonsense]\n",
    ],
)
def test_a_mistake_elsewhere_is_no_concern(tmp_path: Path, mistake: str) -> None:
    assert reached(tmp_path, SOUND + mistake) == Located(tmp_path / "s" / "hub.sock")


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        (SOUND + '[consumers.c]\ntype = "c\n', "s", "hub.conf:4:"),
        (SOUND + "[consumers.c]\ntopics = [\n'a'\n", "s", "hub.conf: not TOML"),
        (SOUND + "x = 1\nx = 2\n[a\n", "s", "hub.conf:4:"),
        ("= 5\n" + SOUND, "state", "hub.conf:1:1: not TOML"),
        ("hub = 5\n", "state", "hub.conf:1: hub: expected a table"),
        (SOUND + "control_socket = 5\n", "s", "hub.conf:3: hub.control_socket: expected a path"),
        ("\ufeff" + SOUND, "state", "byte order mark"),
    ],
)
def test_what_stands_above_a_mistake_is_used_and_the_mistake_told(
    tmp_path: Path, text: str, place: str, said: str
) -> None:
    found = reached(tmp_path, text)
    assert found.socket == tmp_path / place / "hub.sock"
    assert said in found.problems[0]
    found.socket.unlink()
    with pytest.raises(ConfigError) as caught:
        locate(tmp_path / "hub.conf", (), {})
    assert tuple(caught.value.problems) == found.problems


def test_a_file_that_is_not_utf_8_and_a_directory_beside_it_that_is_none(tmp_path: Path) -> None:
    reached(tmp_path, "")
    (tmp_path / "hub.conf").write_bytes(b"\xff")
    (tmp_path / "hub.conf.d").touch()
    found = locate(tmp_path / "hub.conf", (), {})
    assert found.socket == tmp_path / "state" / "hub.sock"
    assert [problem.rpartition(": ")[0].removeprefix(f"{tmp_path}/") for problem in found.problems] == [
        "hub.conf: not UTF-8",
        "hub.conf.d: can't be read",
    ]


def test_a_file_that_is_not_there_is_no_mistake_in_it(tmp_path: Path) -> None:
    reached(tmp_path, "")
    with pytest.raises(ConfigError, match=r"none\.conf: can't be read: No such file"):
        locate(tmp_path / "none.conf", (), {})
