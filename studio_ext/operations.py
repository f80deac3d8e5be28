"""The declaration of one verb of the HTTP API: what it reads, what it answers, how it can fail.

A verb is a plain function ``(handler, path parameters..., query, body) -> reply`` whose annotations are the
declaration: a parameter called ``query`` is read from the query string, one called ``body`` from the JSON body, all
others from the path; the return annotation is what the reply is checked against. `studio_ext.handlers` runs it and
`studio_ext.openapi` documents it.
"""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, RootModel, TypeAdapter, ValidationError
from tornado import web

from kernel_tools.core.errors import AtelierError, InvalidArgumentError, InvalidDataError
from studio_ext.schema import AMBIENT_NAMES

if TYPE_CHECKING:
    from studio_ext.handlers import StudioHandler

Verb = Callable[..., Awaitable[None] | None]
SHOWN_PROBLEMS = 10


@dataclass(frozen=True)
class FileReply:
    """Bytes that are streamed to the client as a download."""

    file: IO[bytes]
    name: str
    size: int
    media_type: str


class Operation:
    """What a verb promises, read from its function's annotations when it is first used.

    Parameters
    ----------
    function
        The verb.
    name
        The operation's name in the API, unique.
    summary
        One line for the document.
    status
        Status of a good reply; 204 has no body.
    raises
        The errors that the verb may answer besides those of every verb.
    action
        What the caller must be allowed to do: ``read``, ``write`` or ``execute``. Default: by the HTTP verb.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        name: str,
        summary: str,
        *,
        status: int,
        raises: tuple[type[AtelierError], ...],
        action: str,
    ) -> None:
        self.function = function
        self.name = name
        self.summary = summary
        self.status = status
        self.raises = raises
        self.action = action

    @functools.cached_property
    def _hints(self) -> dict[str, Any]:
        return typing.get_type_hints(self.function, include_extras=True)

    @property
    def query(self) -> type[BaseModel] | None:
        """The model of the query string."""
        return self._hints.get("query")

    @property
    def body(self) -> type[BaseModel] | None:
        """The model of the JSON body."""
        return self._hints.get("body")

    @property
    def reply(self) -> Any:
        """The type of the reply; `NoneType` if there is none."""
        return self._hints["return"]

    @functools.cached_property
    def path_parameters(self) -> dict[str, TypeAdapter[Any]]:
        """The types of the path's parameters, in the order of the function's."""
        names = [name for name in inspect.signature(self.function).parameters if name in self._hints]
        return {name: TypeAdapter(self._hints[name]) for name in names if name not in {"query", "body"}}

    @functools.cached_property
    def _writer(self) -> type[RootModel[Any]]:
        # A bare dataclass has no place for the setting about NaN; a root model around it has.
        class Checked(RootModel[self.reply]):  # type: ignore[name-defined]  # a type that is known at run time only
            model_config = ConfigDict(ser_json_inf_nan="strings")

        return Checked

    def read(self, path: Mapping[str, str], query: Mapping[str, list[str]], body: bytes) -> dict[str, Any]:
        """Validate what the client sent.

        Raises
        ------
        InvalidArgumentError
            If the body is not JSON.
        InvalidDataError
            If a value does not fit; the message lists every field and what is wrong with it.
        """
        arguments = {
            name: _validated("path", lambda: adapter.validate_strings(path[name]), name)  # noqa: B023  # called at once
            for name, adapter in self.path_parameters.items()
        }
        if self.query is not None:
            values = _query_values(self.query, query)
            arguments["query"] = _validated("query", functools.partial(self.query.model_validate, values))
        if self.body is not None:
            arguments["body"] = _validated("body", functools.partial(self.body.model_validate_json, body))
        return arguments

    def write(self, reply: Any) -> bytes:
        """Write a reply as JSON; a reply that is not of the declared type is a defect and raises."""
        return self._writer.model_construct(reply).model_dump_json(warnings="error").encode()


def operation(
    name: str,
    summary: str,
    *,
    status: int = 200,
    raises: tuple[type[AtelierError], ...] = (),
    action: str = "",
) -> Callable[[Callable[..., Any]], Verb]:
    """Declare a verb of a `StudioHandler`: authenticated, authorized, validated, run in a thread, answered as JSON.

    Parameters are those of `Operation`.
    """

    def declare(function: Callable[..., Any]) -> Verb:
        needed = action or ("read" if function.__name__ == "get" else "write")
        declared = Operation(function, name, summary, status=status, raises=raises, action=needed)

        @functools.wraps(function)
        async def verb(handler: StudioHandler, **path: str) -> None:
            await handler.answer(declared, path)

        guarded = web.authenticated(verb)
        guarded.operation = declared  # type: ignore[attr-defined]  # read again by `operations_of`
        return guarded

    return declare


def operations_of(handler: type[web.RequestHandler]) -> dict[str, Operation]:
    """Return the declared verbs of a handler class by their HTTP method in lower case."""
    verbs = {method.lower(): getattr(handler, method.lower()) for method in sorted(handler.SUPPORTED_METHODS)}
    return {method: verb.operation for method, verb in verbs.items() if hasattr(verb, "operation")}


def _query_values(model: type[BaseModel], given: Mapping[str, list[str]]) -> dict[str, Any]:
    """Return the values by name; of several for one that is no list, the last counts.

    A blank value is no value: JupyterLab adds a blank name, the time, to requests that must not be cached.
    """
    lists = {name for name, field in model.model_fields.items() if typing.get_origin(field.annotation) is list}
    filled = {name: [text for text in texts if text] for name, texts in given.items() if name not in AMBIENT_NAMES}
    return {name: texts if name in lists else texts[-1] for name, texts in filled.items() if texts}


def _validated(place: str, validate: Callable[[], Any], *prefix: str) -> Any:
    try:
        return validate()
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
    if problems[0]["type"] == "json_invalid":
        raise InvalidArgumentError(f"The body of the request is not JSON: {problems[0]['msg']}. Send a JSON object.")
    shown = [
        f"{'.'.join(str(part) for part in (place, *prefix, *problem['loc']))}: {problem['msg']}"
        for problem in problems[:SHOWN_PROBLEMS]
    ]
    more = f"; and {len(problems) - SHOWN_PROBLEMS} more" if len(problems) > SHOWN_PROBLEMS else ""
    raise InvalidDataError(f"The request was refused. {'; '.join(shown)}{more}.")
