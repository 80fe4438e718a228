"""The API's description, by its specification's own validator, and against what the verbs declare."""

from __future__ import annotations

import json

from openapi_spec_validator import validate

from hub.control.verbs import VERBS
from hub.http.api import Description
from hub.http.openapi import document
from hub.http.verb import Mounts, Nothing, Verb

MOUNTS: Mounts = {"": [verb(None) for verb in VERBS]}  # type: ignore[arg-type]


class Count(Verb):
    """Count something.

    It takes a while.
    """

    path, method, access = "count", "POST", "actions"


def test_it_is_a_valid_description() -> None:
    validate(json.loads(json.dumps(document(MOUNTS))))


def test_it_is_made_once_and_anew_when_the_verbs_are_others() -> None:
    mounts = dict(MOUNTS)
    description = Description(lambda: mounts)
    made = description.carry_out(Nothing())
    assert description.carry_out(Nothing()) is made
    assert json.loads(made) == json.loads(json.dumps(document(MOUNTS)))
    mounts["consumers/mail%20out"] = [Count()]
    operation = json.loads(description.carry_out(Nothing()))["paths"]["/consumers/mail%20out/count"]["post"]
    assert (operation["summary"], operation["description"]) == ("Count something.", "It takes a while.")


def test_one_verb_mounted_twice_has_two_operation_ids() -> None:
    mounts: Mounts = {"consumers/a": [Count()], "consumers/b": [Count()]}
    validate(json.loads(json.dumps(document(mounts))))


def test_a_path_that_may_end_before_its_last_part_is_described_both_ways() -> None:
    paths = document(MOUNTS)["paths"]
    assert "backend" in {one["name"] for one in paths["/refused/{backend}"]["get"]["parameters"]}
    assert "backend" not in {one["name"] for one in paths["/refused"]["get"]["parameters"]}


def test_every_verb_is_in_it_with_its_purpose() -> None:
    paths = document(MOUNTS)["paths"]
    for verb in VERBS:
        place = f"/{verb.path}/{{{verb.about}}}" if verb.about else f"/{verb.path}"
        operation = paths[place][verb.method.lower()]
        assert operation["summary"].endswith(".")
        assert ("security" in operation) == (verb.access in ("status", "contents", "actions"))
        assert ("requestBody" in operation) == (verb.method == "POST" and verb.order is not Nothing)


def test_a_query_is_described_with_its_bounds() -> None:
    (operation,) = document(MOUNTS)["paths"]["/peek/{consumer}"].values()
    by_name = {parameter["name"]: parameter for parameter in operation["parameters"]}
    assert (by_name["consumer"]["in"], by_name["consumer"]["required"]) == ("path", True)
    assert (by_name["count"]["in"], by_name["count"]["required"]) == ("query", False)
    assert (by_name["count"]["schema"]["minimum"], by_name["count"]["schema"]["default"]) == (1, 10)


def test_no_two_verbs_have_one_method_of_one_path() -> None:
    assert len({(verb.path, verb.method) for verb in VERBS}) == len(VERBS)
