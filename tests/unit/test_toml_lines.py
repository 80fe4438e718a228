"""Where keys stand."""

from __future__ import annotations

from hub.toml_lines import key_lines

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
