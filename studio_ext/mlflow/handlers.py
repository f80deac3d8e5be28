"""The web side of MLflow's protocol: who may call, how requests are read, how replies and errors are written.

Callers are those of the Jupyter server: a client sends the server's token as ``MLFLOW_TRACKING_TOKEN``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import unquote

import msgspec
from tornado import web

from kernel_tools.core.errors import ForbiddenError
from studio_ext.app import MLFLOW_PATH
from studio_ext.handlers import StudioHandler
from studio_ext.mlflow.api import Context, Endpoint
from studio_ext.mlflow.checks import read_request
from studio_ext.mlflow.endpoints import ENDPOINTS
from studio_ext.mlflow.errors import (
    ENDPOINT_NOT_FOUND,
    INVALID_PARAMETER_VALUE,
    UNAUTHENTICATED,
    MlflowError,
    describe,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_BODY_BYTES = 64_000_000
"""Of a request that is no upload; the profile of a dataset alone may have 16 MB."""


class MlflowHandler(StudioHandler):
    """Base of the handlers below ``/studio/mlflow``; `path` is a regular expression."""

    max_body_bytes = MAX_BODY_BYTES
    _allowed = ""

    @classmethod
    def pattern(cls) -> str:
        """Return the regular expression that Tornado matches, below the server's base URL."""
        return MLFLOW_PATH + cls.path

    @property
    def context(self) -> Context:
        """What endpoints work on."""
        return Context(self.workspace)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer any error in MLflow's form, with MLflow's status."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        refused = isinstance(error, ForbiddenError) or status_code in (403, 404)  # 404: a page of another origin
        if refused and self.current_user is None:
            status, code = 401, UNAUTHENTICATED
            message = "You are not logged in. Set MLFLOW_TRACKING_TOKEN to the token of the Jupyter server."
        else:
            status, code, message = describe(error, status_code, self._explain(error, status_code))
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        if self._allowed:
            self.set_header("Allow", self._allowed)
        self.finish(json.dumps({"error_code": code, "message": message}))

    def send_json(self, reply: object) -> None:
        """Finish with a JSON reply."""
        self.finish(msgspec.json.encode(reply))

    def _explain(self, error: BaseException | None, status: int) -> str:
        if isinstance(error, web.HTTPError) or error is None:
            text = error.log_message if error is not None else None
            return text or f"The server refused this with status {status}."
        return (
            f"A defect in Atelier: {type(error).__name__}: {error}. The log of the Jupyter server has the traceback; "
            "please report it."
        )


class ApiHandler(MlflowHandler):
    """Every path below ``/api/2.0/mlflow`` and ``/ajax-api/2.0/mlflow``: looked up in the table of endpoints."""

    path = r"/(?:ajax-)?api/2\.0/mlflow/(?P<rest>.*)"
    auth_resource: ClassVar[str] = "experiments"

    @web.authenticated
    async def get(self, rest: str) -> None:
        """Answer a GET."""
        await self._answer(rest)

    @web.authenticated
    async def post(self, rest: str) -> None:
        """Answer a POST."""
        await self._answer(rest)

    @web.authenticated
    async def put(self, rest: str) -> None:
        """Answer a PUT."""
        await self._answer(rest)

    @web.authenticated
    async def patch(self, rest: str) -> None:
        """Answer a PATCH."""
        await self._answer(rest)

    @web.authenticated
    async def delete(self, rest: str) -> None:
        """Answer a DELETE."""
        await self._answer(rest)

    async def _answer(self, rest: str) -> None:
        found = ENDPOINTS.find(rest)
        if found is None:
            raise MlflowError(ENDPOINT_NOT_FOUND, f"No API found for '{self.request.method} {self.request.path}'.")
        verbs, parameters = found
        endpoint = verbs.get(self.request.method or "")
        if endpoint is None:
            self._allowed = ", ".join(verbs)
            raise web.HTTPError(405, f"{self.request.path} takes {' and '.join(verbs)}.")
        await self._authorize(endpoint.needed_action)
        query = {name: self.get_query_arguments(name) for name in self.request.query_arguments}
        body, content_type = self.request.body, self.request.headers.get("Content-Type")
        context = self.context

        def work() -> bytes:
            from kernel_tools.core.audit import acting_user

            content = _read_content(endpoint, query, body, content_type)
            if isinstance(content, dict):
                content |= {name: unquote(value) for name, value in parameters.items()}
            request = read_request(endpoint.message, endpoint.checks, content)
            with acting_user(self.user_name):
                return msgspec.json.encode(endpoint.answer(context, request))

        self.finish(await self._run_in_thread(work))


def _read_content(endpoint: Endpoint, query: Mapping[str, list[str]], body: bytes, content_type: str | None) -> object:
    """Return the JSON of a request; of a body that is none, an empty one, as MLflow does."""
    if endpoint.method == "GET" and query:
        return endpoint.message.from_query(query)
    if endpoint.method in ("POST", "PUT"):
        if content_type is None:
            raise MlflowError(INVALID_PARAMETER_VALUE, "Bad Request. Content-Type header is missing.")
        if content_type.split(";")[0].strip() != "application/json":
            raise MlflowError(INVALID_PARAMETER_VALUE, "Bad Request. Content-Type must be one of ['application/json'].")
    content = _read_json(body) if body.strip() else {}
    if isinstance(content, str):  # some old clients encode twice
        content = _read_json(content.encode())
    return {} if content is None else content


def _read_json(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        pass
    try:
        return json.loads(body)  # takes a bare NaN, which some clients send
    except (ValueError, RecursionError) as error:
        raise MlflowError(INVALID_PARAMETER_VALUE, f"The body of the request is not JSON: {error}.") from None
