"""Templates make texts of fields, and do nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import Message, jsontext
from hub.consumers.sending.field import Content, Lacking
from hub.consumers.sending.outcome import ForGood
from hub.consumers.sending.template import Template


def content(**body: object) -> Content:
    return Content(Message("7", "org.x", jsontext.write(body)))


def test_fields_defaults_and_braces() -> None:
    template = Template("{{{topic}}} by {body.user|nobody}, {body.n|}!")
    assert template.render(content(user="ann")) == "{org.x} by ann, !"
    assert template.render(content(user=None, n=2)) == "{org.x} by nobody, 2!"


def test_one_without_fields_is_constant() -> None:
    assert Template("a {{b}}").constant
    assert Template("a {{b}}").render(content()) == "a {b}"
    assert not Template("{id}").constant


def test_a_field_without_a_default_must_be_there() -> None:
    with pytest.raises(Lacking, match=r"no field 'body.user'"):
        Template("x {body.user}").render(content())


def test_only_what_messages_say_is_escaped() -> None:
    assert Template("<b>{body.x}</b>").render(content(x="<i>"), lambda text: text.replace("<", "&lt;")) == (
        "<b>&lt;i></b>"
    )


def test_what_a_field_says_is_no_template_again() -> None:
    assert Template("{body.x}").render(content(x="{id} {{ }} {0.__class__} %s $x")) == "{id} {{ }} {0.__class__} %s $x"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a {topic", "the '{' at character 3 of 'a {topic' is not closed; a brace itself is '{{'"),
        ("{topic {id}", "the '{' at character 1"),
        ("a } b", "the '}' at character 3 of 'a } b' closes nothing; a brace itself is '}}'"),
        ("{}", "expected a path"),
        ("{user}", "begins with one of"),
        ("{0.__class__.__mro__}", "begins with one of"),
        ("{body.a!r}", None),
        ("{topic:>9999999999}", "begins with one of"),
        ("{body.a[0]}", None),
    ],
)
def test_errors_of_syntax(text: str, told: str | None) -> None:
    if told is None:  # names of fields like any other
        with pytest.raises(Lacking):
            Template(text).render(content(a="x"))
        return
    with pytest.raises(ValueError, match=r".*") as caught:
        Template(text)
    assert told in str(caught.value)


def test_a_text_is_bounded() -> None:
    assert Template("{body.x}").render(content(x="y" * 10), most=10) == "y" * 10
    with pytest.raises(ForGood, match=r"'\{body.x\}' has more than 10 characters"):
        Template("{body.x}").render(content(x="y" * 11), most=10)


@given(st.text(), st.text())
def test_any_text_goes_through_unchanged(before: str, value: str) -> None:
    doubled = before.replace("{", "{{").replace("}", "}}")
    found = Template(doubled + "{body.x}").render(content(x=value))
    assert found == before + value


@given(st.text(alphabet='{}|."ab idtopcbye'))
def test_a_template_is_read_or_refused(text: str) -> None:
    try:
        template = Template(text)
    except ValueError:
        return
    assert template.source == text
