"""The OpenAPI document of the extension, made from the declarations beside the handlers.

``python -m studio_ext.openapi [path]`` writes it; the TypeScript types of the panel are made from that file.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import NoneType
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import CoreRef, GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from kernel_tools.core.errors import AtelierError, ForbiddenError, InvalidArgumentError, InvalidDataError, TooLargeError
from studio_ext import __version__
from studio_ext.app import BASE_PATH
from studio_ext.errors import status_of
from studio_ext.handlers import PARAMETER, VERSION_HEADER, StudioHandler
from studio_ext.live import LiveBatch, LiveRequest
from studio_ext.live_debugger import LiveDebuggerBatch, LiveDebuggerRequest
from studio_ext.live_jobs import LiveJobsBatch, LiveJobsRequest
from studio_ext.operations import FileReply, Operation, operations_of
from studio_ext.routes import HANDLERS
from studio_ext.schema import ErrorReply

DOCUMENT = Path(__file__).with_name("openapi.json")
COMPONENT = "#/components/schemas/{model}"

Schema = dict[str, Any]


class SchemaGenerator(GenerateJsonSchema):
    """JSON Schema as the panel needs it.

    A reply always has all its fields, so that TypeScript sees no needless ``undefined``; a float of a reply that may
    be non-finite is a `Number`.
    """

    def float_schema(self, schema: core_schema.FloatSchema) -> JsonSchemaValue:
        """Write a float, as a reference to `Number` where a reply may hold NaN."""
        if self.mode == "validation" or schema.get("allow_inf_nan") is False:
            return super().float_schema(schema)
        definition, reference = self.get_cache_defs_ref_schema(CoreRef("studio_ext.schema.Number:0"))
        self.definitions[definition] = {
            "description": "A number; one that is not finite, which JSON cannot write, is a string.",
            "anyOf": [{"type": "number"}, {"type": "string", "enum": ["NaN", "Infinity", "-Infinity"]}],
        }
        return reference

    def field_is_required(
        self,
        field: core_schema.ModelField | core_schema.DataclassField | core_schema.TypedDictField,
        total: bool,
    ) -> bool:
        """Say that a reply always has the field; in a request its default decides."""
        return self.mode == "serialization" or super().field_is_required(field, total)

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Leave out titles that only repeat the name of the field."""
        return False


def build_document() -> dict[str, object]:
    """Return the OpenAPI 3.1 document of all handlers, always in the same order."""
    declared = [(handler, method, spec) for handler in HANDLERS for method, spec in operations_of(handler).items()]
    schemas, components = _schemas([spec for _, _, spec in declared])
    paths: dict[str, Schema] = {}
    for handler, method, spec in declared:
        paths.setdefault(BASE_PATH + handler.path, {})[method] = _describe(handler, spec, schemas, components)
    queries = {spec.query.__name__ for _, _, spec in declared if spec.query is not None}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Atelier",
            "version": __version__,
            "description": "The HTTP API of the JupyterLab extension. Times are milliseconds since 1970 UTC.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The base URL of the Jupyter server"}],
        "security": [{"token": []}],
        "paths": {path: paths[path] for path in sorted(paths)},
        "components": {
            "schemas": {name: components[name] for name in sorted(components) if name not in queries},
            "headers": {
                "Version": {
                    "description": "The version of the server; a panel of another version asks for a reload.",
                    "required": True,
                    "schema": {"type": "string"},
                }
            },
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`token <token of the server>`; a browser that is logged in sends its cookie.",
                }
            },
        },
    }


def render_document() -> str:
    """Return the document as the text of the committed file."""
    return json.dumps(build_document(), indent=2, ensure_ascii=False) + "\n"


def _schemas(specs: list[Operation]) -> tuple[dict[Any, Schema], dict[str, Schema]]:
    """Return the schema of each operation's query, body and reply, and the components that they refer to."""
    wanted: list[tuple[str, Any, TypeAdapter[Any]]] = [
        ("ErrorReply", "serialization", TypeAdapter(ErrorReply)),
        ("LiveRequest", "validation", TypeAdapter(LiveRequest)),  # the messages of the websockets, which have no
        ("LiveBatch", "serialization", TypeAdapter(LiveBatch)),  # place in the paths of OpenAPI
        ("LiveJobsRequest", "validation", TypeAdapter(LiveJobsRequest)),
        ("LiveJobsBatch", "serialization", TypeAdapter(LiveJobsBatch)),
        ("LiveDebuggerRequest", "validation", TypeAdapter(LiveDebuggerRequest)),
        ("LiveDebuggerBatch", "serialization", TypeAdapter(LiveDebuggerBatch)),
        *((f"{spec.name} query", "validation", TypeAdapter(spec.query)) for spec in specs if spec.query),
        *((f"{spec.name} body", "validation", TypeAdapter(spec.body)) for spec in specs if spec.body),
        *(
            (f"{spec.name} reply", "serialization", TypeAdapter(spec.reply))
            for spec in specs
            if spec.reply not in (FileReply, NoneType)
        ),
    ]
    found, rest = TypeAdapter.json_schemas(wanted, ref_template=COMPONENT, schema_generator=SchemaGenerator)
    return {key: dict(schema) for (key, _), schema in found.items()}, dict(rest["$defs"])


def _describe(
    handler: type[StudioHandler], spec: Operation, schemas: dict[Any, Schema], components: dict[str, Schema]
) -> Schema:
    described: Schema = {
        "operationId": spec.name,
        "summary": spec.summary,
        "tags": [handler.auth_resource],
        "x-action": spec.action,
    }
    parameters = [*_path_parameters(handler, spec), *_query_parameters(spec, schemas, components)]
    if parameters:
        described["parameters"] = parameters
    if spec.body is not None:
        content = {"application/json": {"schema": schemas[f"{spec.name} body"]}}
        described["requestBody"] = {"required": True, "content": content}
    described["responses"] = {str(spec.status): _good_response(spec, schemas), **_error_responses(spec)}
    return described


def _path_parameters(handler: type[StudioHandler], spec: Operation) -> list[Schema]:
    types = spec.path_parameters
    return [
        {"name": name, "in": "path", "required": True, "schema": types[name].json_schema()}
        for name in PARAMETER.findall(handler.path)
    ]


def _query_parameters(spec: Operation, schemas: dict[Any, Schema], components: dict[str, Schema]) -> list[Schema]:
    if spec.query is None:
        return []
    model = components[schemas[f"{spec.name} query"]["$ref"].rpartition("/")[2]]
    required = model.get("required", [])
    return [_query_parameter(name, field, name in required) for name, field in model["properties"].items()]


def _query_parameter(name: str, field: Schema, required: bool) -> Schema:
    schema = {key: value for key, value in field.items() if key != "description"}
    if "anyOf" in schema:  # `int | None`: in a query string, None is a name that does not occur
        (only,) = (option for option in schema["anyOf"] if option != {"type": "null"})
        schema = only
    parameter = {"name": name, "in": "query", "required": required, "schema": schema}
    return parameter | {"description": field["description"]} if "description" in field else parameter


def _good_response(spec: Operation, schemas: dict[Any, Schema]) -> Schema:
    response: Schema = {"description": "Done", "headers": _HEADERS}
    if spec.reply is FileReply:
        response["content"] = {"*/*": {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}}
    elif spec.reply is not NoneType:
        response["content"] = {"application/json": {"schema": schemas[f"{spec.name} reply"]}}
    return response


def _error_responses(spec: Operation) -> dict[str, Schema]:
    errors: set[type[AtelierError]] = {ForbiddenError, *spec.raises}
    if spec.path_parameters or spec.query or spec.body:
        errors |= {InvalidArgumentError, InvalidDataError}
    if spec.body:
        errors.add(TooLargeError)
    names: dict[int, list[str]] = {}
    for error in errors:
        names.setdefault(status_of(error), []).append(error.__name__)
    content = {"application/json": {"schema": {"$ref": COMPONENT.format(model="ErrorReply")}}}
    return {
        str(status): {"description": ", ".join(sorted(names[status])), "headers": _HEADERS, "content": content}
        for status in sorted(names)
    }


_HEADERS = {VERSION_HEADER: {"$ref": "#/components/headers/Version"}}


if __name__ == "__main__":
    (Path(sys.argv[1]) if len(sys.argv) > 1 else DOCUMENT).write_text(render_document(), encoding="utf-8")
