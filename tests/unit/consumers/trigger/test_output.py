"""What a command prints is bounded, and harmless in a log."""

from __future__ import annotations

from hub.consumers.trigger.output import LONGEST_LINE, MOST_BYTES, MOST_LINES, LastBytes, lines


def kept(*chunks: bytes) -> bytes:
    output = LastBytes()
    for chunk in chunks:
        output.add(chunk)
    return output.value()


def test_of_little_all_is_kept_and_of_much_the_last_whole_lines() -> None:
    assert kept(b"a\n", b"b") == b"a\nb"
    much = b"".join(b"line %d\n" % number for number in range(10_000))
    found = kept(*(much[at : at + 1000] for at in range(0, len(much), 1000)))
    assert len(found) <= MOST_BYTES
    assert much.endswith(found)
    assert found.startswith(b"line ")


def test_one_line_without_an_end_is_kept_to_its_last_bytes() -> None:
    assert kept(b"x" * 100_000) == b"x" * MOST_BYTES
    assert kept(b"x" * 100_000 + b"\n") == b"x" * (MOST_BYTES - 1) + b"\n"


def test_lines_can_not_command_a_terminal_or_forge_a_line() -> None:
    assert lines(b"\x1b[31mred\r\n\n  \nb\xff\x00\n") == ["\\x1b[31mred", "b\N{REPLACEMENT CHARACTER}\\x00"]
    assert lines("a\u2028b\u202ec".encode()) == ["a", "b\\u202ec"]


def test_lines_are_few_and_short() -> None:
    found = lines(b"".join(b"%d%s\n" % (number, b"x" * 1000) for number in range(100)))
    assert len(found) == MOST_LINES
    assert found[-1].startswith("99x")
    assert {len(line) for line in found} == {LONGEST_LINE}
