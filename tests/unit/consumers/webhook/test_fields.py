"""Objects of JSON whose texts are templates."""

from __future__ import annotations

import pytest

from hub import Message
from hub.consumers.sending.field import Content, Lacking
from hub.consumers.webhook.fields import FieldsTemplate, merged, problem_of

CONTENT = Content(Message("7", "a.b", b'{"x": "q\\"uote", "n": 3}'))


def test_texts_at_any_depth_are_templates_and_all_else_stays() -> None:
    table = {"{id}": "{topic}", "n": 4, "on": True, "list": ["{body.x}", {"y": "{{{body.n}}}"}, 1.5]}
    assert FieldsTemplate(table).render(CONTENT) == {
        "{id}": "a.b",
        "n": 4,
        "on": True,
        "list": ['q"uote', {"y": "{3}"}, 1.5],
    }


def test_a_field_that_is_lacking_is_named() -> None:
    with pytest.raises(Lacking, match=r"'body\.none'"):
        FieldsTemplate({"a": [{"b": "{body.none}"}]}).render(CONTENT)


def test_what_is_wrong_is_told() -> None:
    assert problem_of({"a": "{topic}"}) is None
    assert "is not closed" in str(problem_of({"a": [{"b": "{topic"}]}))


def test_tables_are_merged() -> None:
    assert merged({"a": {"b": 1, "c": 2}, "d": 1}, {"a": {"c": 3}, "d": {"e": 4}}) == {
        "a": {"b": 1, "c": 3},
        "d": {"e": 4},
    }
