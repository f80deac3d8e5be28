"""The description of the API is complete, valid, and the one that is committed."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema_rs
import pytest
import schemathesis

from studio_ext import openapi, routes
from studio_ext.operations import operations_of

NAMES_OF_THE_CONTRACT = {
    "RunRecord",
    "ArtifactRecord",
    "Experiment",
    "ExperimentPage",
    "RunPage",
    "RunDetail",
    "MetricHistory",
    "FigureReply",
    "ModelGroup",
    "ModelPage",
    "VersionRecord",
    "VersionPage",
    "VersionDetail",
    "ApprovalRequest",
    "EndpointRecord",
    "EndpointPage",
    "EndpointDetail",
    "DeployRequest",
    "InvocationRequest",
    "InvocationReply",
    "HomeReply",
    "VersionReply",
    "ErrorReply",
    "Signature",
    "Column",
    "Tensor",
    "Number",
}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi.build_document()


@pytest.fixture(scope="module")
def components(document: dict[str, Any]) -> dict[str, Any]:
    return document["components"]["schemas"]


def test_the_committed_document_is_current() -> None:
    assert openapi.DOCUMENT.read_text(encoding="utf-8") == openapi.render_document(), (
        "studio_ext/openapi.json is stale: run `make types`."
    )


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    schemathesis.openapi.from_dict(document).validate()
    wrong = {**document, "paths": {"/studio/api/version": {"get": {"responses": []}}}}
    with pytest.raises(jsonschema_rs.ValidationError):
        schemathesis.openapi.from_dict(wrong).validate()


def test_every_component_is_a_valid_schema(components: dict[str, Any]) -> None:
    for name in components:
        validator = jsonschema_rs.Draft202012Validator(
            {"$ref": f"#/components/schemas/{name}", "components": {"schemas": components}}
        )
        assert not validator.is_valid(object_of_no_schema := [[None]]), (name, object_of_no_schema)


def test_the_components_have_the_names_of_the_contract(components: dict[str, Any]) -> None:
    assert set(components) >= NAMES_OF_THE_CONTRACT
    assert not [name for name in components if re.search(r"-(Input|Output)$|__", name)]


def test_every_verb_is_described(document: dict[str, Any]) -> None:
    declared = {(f"/studio/api{h.path}", verb) for h in routes.HANDLERS for verb in operations_of(h)}
    assert {(path, verb) for path, verbs in document["paths"].items() for verb in verbs} == declared


def test_operations_have_names_of_their_own(document: dict[str, Any]) -> None:
    names = [verb["operationId"] for verbs in document["paths"].values() for verb in verbs.values()]
    assert len(names) == len(set(names))


def test_a_reply_has_all_its_fields(components: dict[str, Any]) -> None:
    for name, schema in components.items():
        if not name.endswith("Request") and "properties" in schema:
            assert set(schema["required"]) == set(schema["properties"]), name


def test_numbers_that_may_not_be_finite_say_so(components: dict[str, Any]) -> None:
    number = {"$ref": "#/components/schemas/Number"}
    assert components["RunRecord"]["properties"]["metrics"]["additionalProperties"] == number
    assert components["MetricHistory"]["properties"]["values"]["items"] == number
    assert components["InvocationReply"]["properties"]["latency_ms"] == {"type": "number"}
    assert components["Number"]["anyOf"][1]["enum"] == ["NaN", "Infinity", "-Infinity"]


async def test_the_server_serves_it(call: Any, document: dict[str, Any]) -> None:
    assert (await call("GET", "/openapi.json")).json == json.loads(json.dumps(document))
