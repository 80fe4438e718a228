"""Makes the OpenAPI 3.1 document from the declarations of verbs."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from hub import __version__
from hub.http.verb import JSON, LINES, Mounts, Nothing, Verb
from hub.status.catalogue import CATALOGUE, StatusSection

ABOUT = """\
The HTTP API of a running hub. The control socket has the hub's verbs at its root, the web server has them below `/api`.
Verbs of a plugin are below its section and name, such as `/consumers/mail`. An order that can't be carried out is
answered with a code of 400 or more and a list of problems. Times are seconds since 1970. Over TCP, reading the contents
of messages and changing something need the token that `hubbub web` prints; the status has numbers and states without
it, and the texts of errors, topics and ids with it.
"""
REF = "#/components/schemas/{name}"
PROBLEMS = {
    "description": "It was not done; the reasons.",
    "content": {"application/json": {"schema": {"$ref": REF.format(name="Problems")}}},
}


class Problems(msgspec.Struct):
    """Reasons why something was not done."""

    problems: list[str]


def document(mounts: Mounts) -> dict[str, Any]:
    """Make the whole document."""
    found = [(prefix, type(verb)) for prefix, verbs in mounts.items() for verb in verbs]
    types = [Problems, *(verb.order for _, verb in found), *(verb.result for _, verb in found)]
    schemas, components = msgspec.json.schema_components(types, ref_template=REF)
    describe_numbers(components)
    orders, results = schemas[1 : 1 + len(found)], schemas[1 + len(found) :]
    paths: dict[str, Any] = {}
    for (prefix, verb), order, result in zip(found, orders, results, strict=True):
        place = "/" + "/".join(filter(None, (prefix, quote(verb.path))))
        operation = _operation(prefix, verb, order, result, components)
        if verb.about and verb.about not in components[_name(order)].get("required", []):
            bare = {**operation, "operationId": f"{operation['operationId']}_all"}
            bare["parameters"] = [one for one in operation["parameters"] if one["in"] != "path"]
            paths.setdefault(place, {})[verb.method.lower()] = bare
        place += f"/{{{verb.about}}}" if verb.about else ""
        paths.setdefault(place, {})[verb.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "hubbub", "version": __version__, "description": ABOUT},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def describe_numbers(components: Mapping[str, Any], catalogue: Iterable[StatusSection] = CATALOGUE) -> None:
    """Add the meaning of each number in the status to the schemas."""
    for section in catalogue:
        properties = components.get(section.row.__name__, {}).get("properties", {})
        for metric in section.metrics:
            if metric.key in properties:
                properties[metric.key]["description"] = metric.help


def _name(reference: Mapping[str, Any]) -> str:
    return str(reference["$ref"]).rpartition("/")[2]


def _operation(
    prefix: str, verb: type[Verb], order: Mapping[str, Any], result: object, components: Mapping[str, Any]
) -> dict[str, Any]:
    summary, _, rest = (inspect.getdoc(verb) or "").partition("\n\n")
    schema = result if verb.media in (JSON, LINES) else {"type": "string"}
    content = {"description": "It was done.", "content": {verb.media: {"schema": schema}}}
    operation: dict[str, Any] = {
        "operationId": "_".join(filter(None, (*prefix.split("/"), verb.__name__))),
        "summary": " ".join(summary.split()),
        "responses": {"200": content, **{str(code): PROBLEMS for code in _codes(verb)}},
    }
    if rest:
        operation["description"] = rest
    if verb.access in ("contents", "actions"):
        operation["security"] = [{"token": []}]
    elif verb.access == "status":
        operation["security"] = [{}, {"token": []}]
    if verb.order is not Nothing and verb.method == "POST":
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": order}}}
    elif verb.order is not Nothing:
        operation["parameters"] = list(_parameters(verb, components[_name(order)]))
    return operation


def _codes(verb: type[Verb]) -> list[int]:
    found = [] if verb.order is Nothing else [400]
    if verb.access in ("contents", "actions"):
        found.append(401)
    found.append(403)
    if {"consumer", "queue", "backend", "path"} & set(verb.order.__struct_fields__):
        found.append(404)
    return [*found, 409] if verb.access == "actions" else found


def _parameters(verb: type[Verb], schema: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    for name, kind in schema["properties"].items():
        place = "path" if name == verb.about else "query"
        required = place == "path" or name in schema.get("required", [])
        yield {"name": name, "in": place, "required": required, "schema": kind}
