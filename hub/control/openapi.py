"""The API's description, made from what the verbs declare (OpenAPI 3.1)."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from hub import __version__
from hub.control.verbs.verb import Nothing, Verb

ABOUT = """\
All that can be asked of a running hub. The control socket has these paths at its root, the web page's server below
`/api`. What can't be done answers with a code of 400 or more, and a list of problems. Times are seconds since 1970.
Over TCP, what shows the contents of messages and what changes something needs the token that `hubbub web` prints;
`/status` is numbers and states without it, and has the texts of errors, topics and ids with it.
"""
REF = "#/components/schemas/{name}"
PROBLEMS = {
    "description": "It was not done; why.",
    "content": {"application/json": {"schema": {"$ref": REF.format(name="Problems")}}},
}


class Problems(msgspec.Struct):
    """Why something was not done."""

    problems: list[str]


def document(verbs: Iterable[type[Verb]]) -> dict[str, Any]:
    """The whole description."""
    verbs = list(verbs)
    types = [Problems, *(verb.order for verb in verbs), *(verb.result for verb in verbs)]
    schemas, components = msgspec.json.schema_components(types, ref_template=REF)
    results = schemas[1 + len(verbs) :]
    paths: dict[str, Any] = {}
    for verb, result in zip(verbs, results, strict=True):
        place = f"/{verb.path}/{{{verb.about}}}" if verb.about else f"/{verb.path}"
        paths.setdefault(place, {})[verb.method.lower()] = _operation(verb, result, components)
    return {
        "openapi": "3.1.0",
        "info": {"title": "hubbub", "version": __version__, "description": ABOUT},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(verb: type[Verb], result: object, components: Mapping[str, Any]) -> dict[str, Any]:
    summary, _, rest = (inspect.getdoc(verb) or "").partition("\n\n")
    content = {"description": "It was done.", "content": {verb.media: {"schema": result}}}
    operation: dict[str, Any] = {
        "operationId": verb.__name__,
        "summary": " ".join(summary.split()),
        "responses": {"200": content, **{str(code): PROBLEMS for code in _codes(verb)}},
    }
    if rest:
        operation["description"] = rest
    if verb.access != "numbers":
        operation["security"] = [{"token": []}]
    if verb.order is not Nothing and verb.method == "POST":
        schema = {"$ref": REF.format(name=verb.order.__name__)}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    elif verb.order is not Nothing:
        operation["parameters"] = list(_parameters(verb, components))
    return operation


def _codes(verb: type[Verb]) -> list[int]:
    found = [] if verb.order is Nothing else [400]
    if verb.access != "numbers":
        found.append(401)
    found.append(403)
    if "consumer" in verb.order.__struct_fields__ or "queue" in verb.order.__struct_fields__:
        found.append(404)
    return [*found, 409] if verb.access == "actions" else found


def _parameters(verb: type[Verb], components: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    schema = components[verb.order.__name__]
    for name, kind in schema["properties"].items():
        place = "path" if name == verb.about else "query"
        required = place == "path" or name in schema.get("required", [])
        yield {"name": name, "in": place, "required": required, "schema": kind}
