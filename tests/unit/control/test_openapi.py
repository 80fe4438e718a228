"""The API's description, by its specification's own validator, and against what the verbs declare."""

from __future__ import annotations

import json

from openapi_spec_validator import validate

from hub.control.api import VERBS, description
from hub.control.openapi import document
from hub.control.verbs.verb import Nothing


def test_it_is_a_valid_description() -> None:
    validate(json.loads(json.dumps(document(VERBS))))


def test_it_is_made_once() -> None:
    assert description() is description()
    assert json.loads(bytes(description())) == json.loads(json.dumps(document(VERBS)))


def test_every_verb_is_in_it_with_its_purpose() -> None:
    paths = document(VERBS)["paths"]
    for verb in VERBS:
        place = f"/{verb.path}/{{{verb.about}}}" if verb.about else f"/{verb.path}"
        operation = paths[place][verb.method.lower()]
        assert operation["summary"].endswith(".")
        assert ("security" in operation) == (verb.access != "numbers")
        assert ("requestBody" in operation) == (verb.method == "POST" and verb.order is not Nothing)


def test_a_query_is_described_with_its_bounds() -> None:
    (operation,) = document(VERBS)["paths"]["/peek/{consumer}"].values()
    by_name = {parameter["name"]: parameter for parameter in operation["parameters"]}
    assert (by_name["consumer"]["in"], by_name["consumer"]["required"]) == ("path", True)
    assert (by_name["count"]["in"], by_name["count"]["required"]) == ("query", False)
    assert (by_name["count"]["schema"]["minimum"], by_name["count"]["schema"]["default"]) == (1, 10)


def test_no_two_verbs_have_one_method_of_one_path() -> None:
    assert len({(verb.path, verb.method) for verb in VERBS}) == len(VERBS)
