"""From files to a checked configuration: what is said when it is wrong, and who wins when it is said twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.configuration.loading import load
from hub.errors import ConfigError
from tests.support import ROOT
from tests.unit.configuration.configurations import CLASSES, configure, problems

GOOD = '[consumers.c]\ntype = "classes.py:Good"\n'


def test_a_class_gives_defaults_that_the_file_overrides(tmp_path: Path) -> None:
    part = configure(tmp_path, GOOD + "threads = 5\n").of("consumers")["c"]
    assert (part.settings.topics, part.settings.threads, part.settings.every) == (["a.#"], 5, 30.0)


def test_the_flag_beats_the_environment_beats_the_file(tmp_path: Path) -> None:
    text = GOOD + "threads = 2\nmax_attempts = 2\nmax_dead = 2\n"
    environ = {"HUBBUB_CONSUMERS__C__THREADS": "3", "HUBBUB_CONSUMERS__C__MAX_ATTEMPTS": "3"}
    found = configure(tmp_path, text, ("consumers.c.threads=4",), **environ).of("consumers")["c"].settings
    assert (found.threads, found.max_attempts, found.max_dead) == (4, 3, 2)


def test_a_wrong_variable_or_flag_is_named(tmp_path: Path) -> None:
    found = problems(tmp_path, GOOD, ("hub.log_level=loud", "nonsense"), HUBBUB_HUB__STOP_TIME="5s")
    assert sorted(found) == [
        "$HUBBUB_HUB__STOP_TIME: hub.stop_time: unknown setting; did you mean 'stop_timeout'?",
        "--set hub.log_level: expected 'debug', 'info', 'warning' or 'error', not 'loud'",
        "--set nonsense: expected PATH=VALUE, such as consumers.archive.threads=4",
    ]


def test_a_section_or_a_part_that_only_the_environment_has_is_named_by_its_variable(tmp_path: Path) -> None:
    found = problems(tmp_path, "", HUBBUB_FOO__BAR="1", HUBBUB_CONSUMERS__NEW__THREADS="1")
    assert sorted(found) == [
        "$HUBBUB_CONSUMERS__NEW__THREADS: consumers.new.type: must be set: an installed name, "
        "'package.module:Class' or 'file.py:Class'",
        "$HUBBUB_FOO__BAR: foo: unknown section; there are: backends, clusters, consumers, exporters, hub, jobs, "
        "servers",
    ]


def test_a_variable_finds_names_in_other_case_and_with_dashes_and_dots(tmp_path: Path) -> None:
    text = '[consumers.My-one]\ntype = "log"\n[consumers."a.b"]\ntype = "log"\n'
    environ = {"HUBBUB_CONSUMERS__MY_ONE__THREADS": "3", "HUBBUB_CONSUMERS__A_B__THREADS": "4"}
    found = configure(tmp_path, text, (), **environ).of("consumers")
    assert {name: part.settings.threads for name, part in found.items()} == {"My-one": 3, "a.b": 4}
    twins = '[consumers.a-b]\ntype = "log"\n[consumers."a.b"]\ntype = "log"\n'
    (said,) = problems(tmp_path, twins, HUBBUB_CONSUMERS__A_B__THREADS="3")
    assert said == "$HUBBUB_CONSUMERS__A_B__THREADS: 'a_b' may mean 'a-b' or 'a.b': use --set"


def test_a_flag_may_name_a_quoted_key_and_give_a_whole_table(tmp_path: Path) -> None:
    text = '[consumers."a.b"]\ntype = "log"\nthreads = 2\n'
    flags = (
        'consumers."a.b".threads=5',
        'consumers.d={type = "log", max_attempts = 2}',
        'consumers."a.b"={max_dead=1}',
    )
    found = configure(tmp_path, text, flags).of("consumers")
    assert (found["a.b"].settings.threads, found["a.b"].settings.max_dead) == (5, 1)
    assert found["d"].settings.max_attempts == 2


def test_what_replaces_a_table_is_blamed_and_not_what_stood_in_it(tmp_path: Path) -> None:
    assert problems(tmp_path, GOOD + "threads = 0\n", ("consumers.c=5",)) == [
        "--set consumers.c: expected a table, [consumers.NAME], not 5"
    ]


def test_variables_that_are_no_settings_are_left_alone(tmp_path: Path) -> None:
    assert configure(tmp_path, GOOD, HUBBUB_MESSAGES="x", HUBBUB_REQUIRE_ALL="1").of("consumers")


def test_files_beside_it_are_merged_in_the_order_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "hub.conf.d").mkdir()
    (tmp_path / "hub.conf.d" / "10.conf").write_text("[consumers.c]\nthreads = 7\nmax_attempts = 7\n")
    (tmp_path / "hub.conf.d" / "20.conf").write_text('[consumers.c]\nthreads = 8\n[consumers.d]\ntype = "log"\n')
    found = configure(tmp_path, GOOD).of("consumers")
    assert (found["c"].settings.threads, found["c"].settings.max_attempts, set(found)) == (8, 7, {"c", "d"})


def test_two_consumers_of_one_name_are_an_error_that_names_both_places(tmp_path: Path) -> None:
    (tmp_path / "hub.conf.d").mkdir()
    (tmp_path / "hub.conf.d" / "10.conf").write_text('[consumers.c]\ntype = "log"\n')
    assert problems(tmp_path, GOOD)[0] == (
        "hub.conf.d/10.conf:2: consumers.c is defined twice, first at hub.conf:2; "
        "to change some of its settings, leave its type out"
    )


def test_files_beside_it_that_are_hidden_or_called_otherwise_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "hub.conf.d").mkdir()
    for name in (".10.conf", "10.conf~", "README"):
        (tmp_path / "hub.conf.d" / name).write_text("nonsense")
    assert configure(tmp_path, GOOD).of("consumers")


def test_a_file_that_can_not_be_read_hides_what_would_be_guesswork(tmp_path: Path) -> None:
    """Without hub.conf, the file beside it would seem to have forgotten its type."""
    (tmp_path / "hub.conf.d").mkdir()
    (tmp_path / "hub.conf.d" / "10.conf").write_text("[consumers.c]\nthreads = 7\n")
    (tmp_path / "hub.conf.d" / "20.conf").write_text("x =\n")
    assert problems(tmp_path, "[hub\n") == [
        "hub.conf:1:5: not TOML: Expected ']' at the end of a table declaration",
        "hub.conf.d/20.conf:1:4: not TOML: Invalid value",
    ]
    (tmp_path / "other.conf.d").write_text("a file")
    with pytest.raises(ConfigError, match=r"other\.conf\.d: can't be read: Not a directory"):
        load(tmp_path / "other.conf", (), {})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[hub\n", "not TOML"),
        (b"a = 1\na = 2\n", "not TOML"),
        (b"\xff", "not UTF-8"),
        (b"a = " + b"[" * 5000, "not TOML"),
        (b"consumers = 5\n", "expected tables, [consumers.NAME], not 5"),
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
    with pytest.raises(ConfigError, match=r"nothing\.conf: can't be read: No such file"):
        load(tmp_path / "nothing.conf", (), {})
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"there is no hub.conf or /etc/hubbub/hub.conf"):
        load(None, (), {})


def test_relative_paths_are_taken_from_the_files_directory(tmp_path: Path) -> None:
    found = configure(tmp_path, '[hub]\nstate_dir = "s"\n' + GOOD + 'place = "x/y"\n')
    assert found.state_dir == tmp_path / "s"
    assert found.control_socket == tmp_path / "s" / "hub.sock"
    assert found.of("consumers")["c"].config.place == tmp_path / "x" / "y"


def test_a_relative_path_in_a_file_beside_it_is_taken_from_there(tmp_path: Path) -> None:
    """A drop-in may bring its own consumer along; what it does not mention stays as it is."""
    beside = tmp_path / "hub.conf.d"
    beside.mkdir()
    (beside / "mine.py").write_text(CLASSES)
    (beside / "10.conf").write_text('[consumers.mine]\ntype = "mine.py:Good"\nplace = "p"\n[hub]\nstate_dir = "s"\n')
    found = configure(tmp_path, GOOD + 'place = "p"\n', ("hub.control_socket=c",))
    assert found.of("consumers")["mine"].config.place == beside / "p"
    assert found.of("consumers")["c"].config.place == tmp_path / "p"
    assert (found.state_dir, found.control_socket) == (beside / "s", tmp_path / "c")


def test_systemds_directories_are_used_where_nothing_is_set(tmp_path: Path) -> None:
    found = configure(tmp_path, "", STATE_DIRECTORY="/var/lib/one:/two", RUNTIME_DIRECTORY="/run/one")
    assert (found.state_dir, found.control_socket) == (Path("/var/lib/one"), Path("/run/one/hub.sock"))
    assert configure(tmp_path, "").state_dir == tmp_path / "state"


def test_a_socket_path_that_is_too_long_is_said(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, f'[hub]\ncontrol_socket = "/{"x" * 120}"\n')
    assert found.startswith("hub.conf:2: hub.control_socket: /xxx")
    assert found.endswith("is 121 bytes long, and a Unix socket's path at most 107: set control_socket")


def test_loading_makes_nothing(tmp_path: Path) -> None:
    before = {path.name for path in tmp_path.iterdir()} | {"hub.conf", "classes.py"}
    configure(tmp_path, GOOD + '[consumers.archive]\ntype = "archive"\n[backends.b]\ntype = "memory"\n')
    assert {path.name for path in tmp_path.iterdir()} - {"__pycache__"} == before


def test_a_disabled_part_is_checked_and_left_out(tmp_path: Path) -> None:
    assert not configure(tmp_path, GOOD + "enabled = false\n").of("consumers")
    assert problems(tmp_path, GOOD + "enabled = false\nthreads = 0\n")


@pytest.mark.parametrize(
    "more",
    [
        'ordering = "strict"\nthreads = 1\norder_by = "body:a"\n',
        'backoff = "10m"\n',
        'order_by = "nonsense"\n',
        'topics = [""]\n',
    ],
)
def test_settings_that_disagree_are_refused(tmp_path: Path, more: str) -> None:
    assert len(problems(tmp_path, GOOD + more)) == 1


def test_a_plain_secret_is_refused_and_not_repeated(tmp_path: Path) -> None:
    text = GOOD + 'password = "hunter2"\n[consumers.a]\ntype = "archive"\ndatabase = "mysql://u:hunter2@h/d"\n'
    found = "\n".join(problems(tmp_path, text))
    assert "hunter2" not in found
    assert "a secret is not written into the configuration" in found
    assert "expected sqlite or postgresql, not mysql" in found


def test_equal_tables_are_equal_parts_and_another_file_is_another_part(tmp_path: Path) -> None:
    first, second = (configure(tmp_path, GOOD).of("consumers")["c"] for _ in range(2))
    assert first.identity == second.identity
    (tmp_path / "classes.py").write_text(CLASSES + "\n# changed\n")
    third = load(tmp_path / "hub.conf", (), {}).of("consumers")["c"]
    assert third.identity != first.identity


def test_the_shipped_file_is_good_and_listens_on_loopback_only() -> None:
    found = load(ROOT / "hub.conf", (), {})
    assert set(found.of("consumers")) == {"archive", "log", "mirror", "slow"}
    config = found.of("backends")["bus"].config
    assert all(endpoint.startswith("tcp://127.0.0.1:") for endpoint in [*config.bind, *config.publish_connect])


def test_a_part_knows_the_states_of_its_secrets_not_the_secrets(tmp_path: Path) -> None:
    (tmp_path / "word").write_text("hunter2")
    text = (
        '[backends.b]\ntype = "stomp"\nconnect = ["stomp://127.0.0.1:1"]\n'
        f'destinations = ["/queue/a"]\nlogin = "me"\npasscode = "file:{tmp_path}/word"\n'
    )
    one, two = (configure(tmp_path, text).of("backends")["b"] for _ in range(2))
    assert one.identity == two.identity
    assert list(one.secrets) == ["passcode"]
    assert "hunter2" not in repr(one)
    (tmp_path / "word").write_text("another")
    assert configure(tmp_path, text).of("backends")["b"].identity != one.identity
