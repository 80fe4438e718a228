"""From files to a checked configuration: what is said when it is wrong, and who wins when it is said twice."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.config import Configuration
from hub.errors import ConfigError
from hub.loading import load
from tests.support import ROOT

CLASSES = """
from hub import Consumer, Settings, setting
from hub.settings import Duration, FilePath, SecretRef

class Good(Consumer):
    topics = ("a.#",)
    threads = 3
    every = "30s"

    class Config(Settings):
        place: FilePath | None = setting(None, "A file.")
        pause: Duration = setting("1s", "A pause.")
        password: SecretRef | None = setting(None, "A secret.")

    def consume(self, message):
        pass

class Idle(Consumer):
    pass

class Greedy(Consumer):
    class Config(Settings):
        threads: int = setting(1, "Ours, we think.")

    def consume(self, message):
        pass

class Stranger:
    def consume(self, message):
        pass
"""


def configure(directory: Path, text: str, overrides: tuple[str, ...] = (), **environ: str) -> Configuration:
    (directory / "classes.py").write_text(CLASSES)
    file = directory / "hub.conf"
    file.write_text(text)
    return load(file, overrides, environ)


def problems(directory: Path, text: str, overrides: tuple[str, ...] = (), **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        configure(directory, text, overrides, **environ)
    return [problem.replace(f"{directory}/", "") for problem in caught.value.problems]


BAD = """
[hub]
log_levl = "debug"
stop_timeout = "3 parsecs"

[consumer.x]

[consumers.good]
type = "classes.py:Good"
threds = 3
batch_size = "many"
pause = -1
[consumers.none]
[consumers.typo]
type = "arhive"
[consumers.wrong]
type = "classes.py:Goof"
[consumers.idle]
type = "classes.py:Idle"
[consumers.stranger]
type = "classes.py:Stranger"
[consumers.greedy]
type = "classes.py:Greedy"
[consumers."a b"]
type = "classes.py:Good"
[backends.b]
type = "classes.py:Good"
"""
SAID = [
    "hub.conf:3: hub.log_levl: unknown setting; did you mean 'log_level'?",
    "hub.conf:4: hub.stop_timeout: expected a duration such as '250ms', '30s' or '1h30m', not '3 parsecs'",
    "hub.conf:6: consumer: unknown; did you mean 'consumers'?",
    "hub.conf:10: consumers.good.threds: unknown setting; did you mean 'threads'?",
    "hub.conf:11: consumers.good.batch_size: expected a whole number, not 'many'",
    "hub.conf:12: consumers.good.pause: expected a duration such as '250ms', '30s' or '1h30m', not -1",
    "hub.conf:13: consumers.none.type: must be set",
    "hub.conf:15: consumers.typo.type: no consumer is called 'arhive'; did you mean 'archive'? "
    "(or 'package.module:Class')",
    "hub.conf:17: consumers.wrong.type: 'classes.py:Goof': the module has no class 'Goof'; did you mean 'Good'?",
    "hub.conf:19: consumers.idle.type: 'classes.py:Idle' has neither consume() nor consume_batch() nor tick()",
    "hub.conf:21: consumers.stranger.type: 'classes.py:Stranger' is not a subclass of hub.Consumer",
    "hub.conf:22: consumers.greedy: Greedy.Config has a setting of the hub's: threads",
    "hub.conf:24: consumers.a b: a name has at most 64 characters, of A-Z a-z 0-9 _ . -",
    "hub.conf:27: backends.b.type: 'classes.py:Good' is not one of the backends: it has no subscribe()",
]
GOOD = '[consumers.c]\ntype = "classes.py:Good"\n'


def test_everything_that_is_wrong_is_said_at_once_with_its_place(tmp_path: Path) -> None:
    assert sorted(problems(tmp_path, BAD)) == sorted(SAID)


def test_a_class_gives_defaults_that_the_file_overrides(tmp_path: Path) -> None:
    part = configure(tmp_path, GOOD + "threads = 5\n").consumers["c"]
    assert (part.settings.topics, part.settings.threads, part.settings.every) == (["a.#"], 5, 30.0)


def test_the_flag_beats_the_environment_beats_the_file(tmp_path: Path) -> None:
    text = GOOD + "threads = 2\nmax_attempts = 2\nbatch_size = 2\n"
    environ = {"HUBBUB_CONSUMERS__C__THREADS": "3", "HUBBUB_CONSUMERS__C__MAX_ATTEMPTS": "3"}
    found = configure(tmp_path, text, ("consumers.c.threads=4",), **environ).consumers["c"].settings
    assert (found.threads, found.max_attempts, found.batch_size) == (4, 3, 2)


def test_a_wrong_variable_or_flag_is_named(tmp_path: Path) -> None:
    found = problems(tmp_path, GOOD, ("hub.log_level=loud", "nonsense"), HUBBUB_HUB__STOP_TIME="5s")
    assert found == [
        "--set nonsense: expected PATH=VALUE, such as consumers.archive.threads=4",
        "--set hub.log_level: hub.log_level: expected 'debug', 'info', 'warning' or 'error', not 'loud'",
        "$HUBBUB_HUB__STOP_TIME: hub.stop_time: unknown setting; did you mean 'stop_timeout'?",
    ]


def test_variables_that_are_no_settings_are_left_alone(tmp_path: Path) -> None:
    assert configure(tmp_path, GOOD, HUBBUB_MESSAGES="x", HUBBUB_REQUIRE_ALL="1").consumers


def test_files_beside_it_are_merged_in_the_order_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "hub.conf.d").mkdir()
    (tmp_path / "hub.conf.d" / "10.conf").write_text("[consumers.c]\nthreads = 7\nmax_attempts = 7\n")
    (tmp_path / "hub.conf.d" / "20.conf").write_text('[consumers.c]\nthreads = 8\n[consumers.d]\ntype = "log"\n')
    found = configure(tmp_path, GOOD).consumers
    assert (found["c"].settings.threads, found["c"].settings.max_attempts, set(found)) == (8, 7, {"c", "d"})


def test_two_consumers_of_one_name_are_an_error_that_names_both_places(tmp_path: Path) -> None:
    (tmp_path / "hub.conf.d").mkdir()
    (tmp_path / "hub.conf.d" / "10.conf").write_text('[consumers.c]\ntype = "log"\n')
    assert problems(tmp_path, GOOD)[0] == "hub.conf.d/10.conf:2: consumers.c is defined twice, first at hub.conf:2"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[hub\n", "not TOML"),
        (b"a = 1\na = 2\n", "not TOML"),
        (b"\xff", "not UTF-8"),
        (b"a = " + b"[" * 5000, "not TOML"),
        (b"consumers = 5\n", "expected tables [consumers.NAME], not 5"),
        (b"[consumers]\nc = 5\n", "expected a table, [consumers.NAME], not 5"),
        (b"hub = 5\n", "expected a table"),
    ],
)
def test_what_is_no_configuration_is_said_in_a_sentence(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "hub.conf"
    file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(file, (), {})
    assert said in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.conf: No such file"):
        load(tmp_path / "nothing.conf", (), {})
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"there is no hub.conf or /etc/hubbub/hub.conf"):
        load(None, (), {})


def test_relative_paths_are_taken_from_the_files_directory(tmp_path: Path) -> None:
    found = configure(tmp_path, '[hub]\nstate_dir = "s"\n' + GOOD + 'place = "x/y"\n')
    assert found.state_dir == tmp_path / "s"
    assert found.control_socket == tmp_path / "s" / "hub.sock"
    assert found.consumers["c"].config.place == tmp_path / "x" / "y"


def test_systemds_directories_are_used_where_nothing_is_set(tmp_path: Path) -> None:
    found = configure(tmp_path, "", STATE_DIRECTORY="/var/lib/one:/two", RUNTIME_DIRECTORY="/run/one")
    assert (found.state_dir, found.control_socket) == (Path("/var/lib/one"), Path("/run/one/hub.sock"))
    assert configure(tmp_path, "").state_dir == tmp_path / "state"


def test_a_socket_path_that_is_too_long_is_said(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, f'[hub]\ncontrol_socket = "/{"x" * 120}"\n')
    assert "is longer than 107 bytes" in found


def test_a_disabled_part_is_checked_and_left_out(tmp_path: Path) -> None:
    assert not configure(tmp_path, GOOD + "enabled = false\n").consumers
    assert problems(tmp_path, GOOD + "enabled = false\nthreads = 0\n")


@pytest.mark.parametrize(
    "more",
    ['ordering = "strict"\norder_by = "body:a"\n', 'backoff = "10m"\n', 'order_by = "nonsense"\n', 'topics = [""]\n'],
)
def test_settings_that_disagree_are_refused(tmp_path: Path, more: str) -> None:
    assert len(problems(tmp_path, GOOD + more)) == 1


def test_no_secret_is_ever_in_a_problem(tmp_path: Path) -> None:
    text = GOOD + 'password = "hunter2"\n[consumers.a]\ntype = "archive"\ndatabase = "mysql://u:hunter2@h/d"\n'
    found = "\n".join(problems(tmp_path, text))
    assert "hunter2" not in found
    assert "a secret is not written into the configuration" in found
    assert "expected sqlite or postgresql, not mysql" in found


def test_equal_tables_are_equal_parts_and_another_file_is_another_part(tmp_path: Path) -> None:
    first, second = (configure(tmp_path, GOOD).consumers["c"] for _ in range(2))
    assert first.identity == second.identity
    (tmp_path / "classes.py").write_text(CLASSES + "\n# changed\n")
    third = load(tmp_path / "hub.conf", (), {}).consumers["c"]
    assert third.identity != first.identity


def test_the_shipped_file_is_good_and_listens_on_loopback_only() -> None:
    found = load(ROOT / "hub.conf", (), {})
    assert set(found.consumers) == {"archive", "log", "slow"}
    config = found.backends["bus"].config
    assert all(endpoint.startswith("tcp://127.0.0.1:") for endpoint in [*config.bind, *config.publish_connect])


KEYS = st.sampled_from(
    ["hub", "consumers", "backends", "exporters", "type", "threads", "topics", "x", "log_level", "every"]
)
VALUES = st.recursive(
    st.one_of(st.integers(-5, 5), st.text(max_size=5), st.booleans(), st.floats(allow_nan=True), st.just("log")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(character):08x}" for character in value) + '"'
    return repr(value)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.one_of(st.binary(max_size=200), st.dictionaries(KEYS, VALUES, max_size=4)))
def test_whatever_stands_in_the_file_the_answer_is_a_configuration_or_its_problems(
    tmp_path: Path, content: Any
) -> None:
    file = tmp_path / "hub.conf"
    if isinstance(content, dict):
        text = "\n".join(f"{key} = {toml(value)}" for key, value in content.items())
        tomllib.loads(text)
        file.write_text(text)
    else:
        file.write_bytes(content)
    try:
        found = load(file, (), {})
    except ConfigError as error:
        said = error.problems
    else:
        said = [str(found.state_dir)]
    assert said
    assert all(said)
