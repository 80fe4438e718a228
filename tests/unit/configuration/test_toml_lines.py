"""Where keys stand."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.configuration.toml_lines import key_lines, key_path

TEXT = """\
# [comment]
top = 1
[a]
x = [
  1, # ]
  2,
]
y = '''
z = 5
'''
"quoted key" = {inline = 1}
b.c = 2
[consumers."my one"]
type = "log" # [not.this]
text = "a [ b"
after = true
[[list]]
n = 1
"""


def test_each_key_has_its_line() -> None:
    assert key_lines(TEXT) == {
        ("top",): 2,
        ("a",): 3,
        ("a", "x"): 4,
        ("a", "y"): 8,
        ("a", "quoted key"): 11,
        ("a", "b", "c"): 12,
        ("consumers", "my one"): 13,
        ("consumers", "my one", "type"): 14,
        ("consumers", "my one", "text"): 15,
        ("consumers", "my one", "after"): 16,
        ("list",): 17,
        ("list", "n"): 18,
    }


VALUES = st.sampled_from(
    [
        "1",
        '"a # b = [1"',
        "'x = \\'",
        "[1, [2,\n3], # ]\n4\n]",
        '"""a\nk0 = 1\n[x]"""',
        '"""a\\"""\nb = 1"""',
        '["""q"""", \'\'\'p\'\'\'\'\',\n"r"]',
        "'''\n[[y]]\n\\'''",
        '{a = "}", b = [{c = 1}]}',
        '"\u2028\x85"',
        '"\\"" # "',
    ]
)
KEYS = st.sampled_from(["k{}", '"k {}"', "'k = {}'", "a.k{}", '"k\\u0041{}" . b'])


@given(st.lists(st.tuples(KEYS, VALUES, st.integers(0, 2)), max_size=8))
def test_each_key_has_its_line_whatever_stands_between(pieces: list[tuple[str, str, int]]) -> None:
    text, expected = "[table]\n", []
    for number, (form, value, blank) in enumerate(pieces):
        expected.append(text.count("\n") + 1)
        text += f"  {form.format(number)} = {value}" + "\n" * (blank + 1)
    tomllib.loads(text)
    lines = key_lines(text)
    assert [lines[key] for key in lines if key != ("table",)] == expected


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("a", ("a",)),
        ("a.b-c . d_1", ("a", "b-c", "d_1")),
        ('consumers."a.b".threads', ("consumers", "a.b", "threads")),
        ("'a b'", ("a b",)),
        ('"\\u0041"', ("A",)),
        *((wrong, None) for wrong in ("", ".", "a.", "a b", "a..b", '"a', "é", "a\nb", '"\\q"')),
    ],
)
def test_a_key_is_read_as_toml_would(text: str, key: tuple[str, ...] | None) -> None:
    assert key_path(text) == key
