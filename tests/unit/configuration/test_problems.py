"""What is said about a wrong configuration, word for word."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.configuration.problems import did_you_mean
from hub.entrypoints import names
from tests.unit.configuration.configurations import problems

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
    "hub.conf:6: consumer: unknown section; did you mean 'consumers'?",
    "hub.conf:10: consumers.good.threds: unknown setting; did you mean 'threads'?",
    "hub.conf:11: consumers.good.batch_size: expected a whole number, not 'many'",
    "hub.conf:12: consumers.good.pause: expected a duration such as '250ms', '30s' or '1h30m', not -1",
    "hub.conf:13: consumers.none.type: must be set: an installed name, 'package.module:Class' or 'file.py:Class'",
    "hub.conf:15: consumers.typo.type: no consumer is called 'arhive'; did you mean 'archive'? "
    "(or 'package.module:Class')",
    "hub.conf:17: consumers.wrong.type: 'classes.py:Goof': the module has no class 'Goof'; did you mean 'Good'?",
    "hub.conf:19: consumers.idle.type: 'classes.py:Idle' has neither consume() nor consume_batch() nor tick()",
    "hub.conf:21: consumers.stranger.type: 'classes.py:Stranger' is not a subclass of hub.Consumer",
    "hub.conf:23: consumers.greedy.type: 'classes.py:Greedy' has settings in its Config that the hub has too: threads",
    'hub.conf:24: consumers."a b": a name is of A-Z a-z 0-9 _ . -, 64 at most, the first not . or -',
    "hub.conf:27: backends.b.type: 'classes.py:Good' is not one of the backends: it has no subscribe(), unsubscribe(), "
    "confirm(), publish(), pause(), resume(), confirms, holds_back",
]


def test_everything_that_is_wrong_is_said_at_once_from_top_to_bottom(tmp_path: Path) -> None:
    assert problems(tmp_path, BAD) == SAID


RICH = '[consumers.c]\ntype = "classes.py:Rich"\n'


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('choice = [1]\nname = "ab"', "3: consumers.c.choice: expected a whole number or a text in quotes, not a list"),
        ("choice = 1", "1: consumers.c.name: must be set (text)"),
        ('name = "a"', "3: consumers.c.name: expected a text of 2 characters or more, not 'a'"),
        ('name = "abcde"', "3: consumers.c.name: expected a text of at most 4 characters, not 'abcde'"),
        ('name = "ab"\nlimit = "1kB"', "4: consumers.c.limit: expected 1KiB or more, not '1kB'"),
        ('name = "ab"\nlimit = "much"', "4: consumers.c.limit: expected a size such as '64KiB' or '8MiB', not 'much'"),
        ('name = "ab"\nlimit = "9999999GiB"', "4: consumers.c.limit: expected a size of at most 1048576GiB"),
        ('name = "ab"\nwait = "9999w"', "4: consumers.c.wait: expected a duration of at most 100 years"),
        ('name = "ab"\ninner = {size = 0}', "4: consumers.c.inner.size: expected 1 or more, not 0"),
        ('name = "ab"\ninner.sise = 1', "4: consumers.c.inner.sise: unknown setting; did you mean 'size'?"),
        ('name = "ab"\ninner = 1', "4: consumers.c.inner: expected a table, not 1"),
        ('name = "ab"\nthreads = "4"', "4: consumers.c.threads: expected a whole number, not '4' (without quotes)"),
        ('enabled = "false"', "3: consumers.c.enabled: expected true or false, not 'false' (without quotes)"),
        ('name = "ab"\nthreads = 4.0', "4: consumers.c.threads: expected a whole number, not 4.0"),
        ('name = "ab"\nthreads = true', "4: consumers.c.threads: expected a whole number, not true"),
        ('name = "ab"\nthreads = 300', "4: consumers.c.threads: expected at most 256, not 300"),
        ('name = "ab"\ntimeout = "0s"', "4: consumers.c.timeout: expected more than 0s, not '0s'"),
        (
            'name = "ab"\nordering = "Strict"',
            "4: consumers.c.ordering: expected 'arrival' or 'strict', not 'Strict'; did you mean 'strict'?",
        ),
        (
            'name = "ab"\norder_by = "msg"',
            r"4: consumers.c.order_by: expected a text that matches ^(header:\S+|body:\S+)$, not 'msg'",
        ),
        ('name = "ab"\ntopics = "a.#"', "4: consumers.c.topics: expected a list, not 'a.#'"),
        ('name = "ab"\ntopics = ["a", 5]', "4: consumers.c.topics[1]: expected a text in quotes, not 5"),
        (
            'name = "ab"\ntopics = []',
            "4: consumers.c.topics: is empty: it would receive nothing (to switch it off: enabled = false)",
        ),
        ('name = "ab"\nlog_level = "info"', "4: consumers.c.log_level: unknown setting here; it belongs in [hub]"),
        ('name = "ab"\nMax-Attempts = 1', "4: consumers.c.Max-Attempts: unknown setting; did you mean 'max_attempts'?"),
        (
            'name = "ab"\nchoice = 14',
            "1: consumers.c: its check failed, which is a fault of the plugin: KeyError: 'a fault'",
        ),
    ],
)  # fmt: skip
def test_each_kind_of_problem_has_its_words(tmp_path: Path, line: str, said: str) -> None:
    assert f"hub.conf:{said}" in problems(tmp_path, f"{RICH}{line}\n")


def test_a_class_attribute_that_is_no_such_setting_is_the_classs_fault(tmp_path: Path) -> None:
    assert problems(tmp_path, '[consumers.c]\ntype = "classes.py:Careless"\nmax_dead = -1\n') == [
        "hub.conf:2: consumers.c.type: the class attribute Careless.topics: expected a list, not 5",
        "hub.conf:2: consumers.c.type: the class attribute Careless.threads: expected 1 or more, not 0",
        "hub.conf:2: consumers.c.type: the class attribute Careless.batch_wait: expected a duration such as '250ms', "
        "'30s' or '1h30m', not 'soon'",
        "hub.conf:3: consumers.c.max_dead: expected 0 or more, not -1",
    ]


def test_a_class_that_is_not_found_hides_nothing_that_can_be_checked(tmp_path: Path) -> None:
    known = ", ".join(names("hub.consumers"))
    text = '[consumers.c]\ntype = "classes.py"\nthreads = 0\nown = 1\n[consumers.d]\ntpye = "log"\n'
    assert problems(tmp_path, text) == [
        f"hub.conf:2: consumers.c.type: no consumer is called 'classes.py'; there are: {known} "
        "(or 'package.module:Class')",
        "hub.conf:3: consumers.c.threads: expected 1 or more, not 0",
        "hub.conf:5: consumers.d.type: must be set: 'tpye' is unknown; did you mean 'type'?",
    ]


def test_a_setting_of_the_hub_outside_its_table_is_shown_the_way(tmp_path: Path) -> None:
    assert problems(tmp_path, 'state_dir = "x"\n[hubs]\n') == [
        "hub.conf:1: state_dir: unknown setting here; it belongs in [hub]",
        "hub.conf:2: hubs: unknown section; did you mean 'hub'?",
    ]


@pytest.mark.parametrize(
    "line",
    [
        'keys = "hunter2"',
        'keys = ["hunter2"]',
        'api_token = ["hunter2"]',
        "api_token = 7733",
        'api_token = "hunter2"\nchoice = 13',
        'inner.secret = "hunter2"',
        'inner.secret = ["hunter2"]',
        'pasword = "hunter2"',
        'wait = "http://ann:hun/t er2@host/"',
        'topics = ["amqp://ann:hunter2@host/ "]',
        '[[consumers.list]]\ndatabase = "postgresql://ann:hunter2@db/x"',
        '[[exporters]]\ndatabase = "postgresql://ann:hunter2@db/x"',
    ],
)
def test_no_secret_is_ever_in_a_problem(tmp_path: Path, line: str) -> None:
    said = "\n".join(problems(tmp_path, f'{RICH}name = "ab"\n{line}\n'))
    assert said
    for secret in ("hunter2", "7733", "t er2"):
        assert secret not in said


def test_a_name_can_not_forge_a_line_or_a_colour(tmp_path: Path) -> None:
    (said,) = problems(tmp_path, '[consumers."a\\u001b[31m\\nb"]\ntype = "log"\n')
    assert said.startswith(r'hub.conf:1: consumers."a\u001b[31m\nb": a name')


def test_a_problem_is_of_bounded_length(tmp_path: Path) -> None:
    assert all(len(said) < 1100 for said in problems(tmp_path, f'{"k" * 5000} = 1\n[hub]\nlog_to = "{"v" * 5000}"\n'))


def test_a_hint_is_the_closest_or_all_that_there_is() -> None:
    assert did_you_mean("thread", ["threads", "topics"]) == "did you mean 'threads'?"
    assert did_you_mean("zzz", ["b", "a"]) == "there are: a, b"
    assert did_you_mean("zzz", []) == "there are none"
