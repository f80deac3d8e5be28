"""Which operation a method and a path ask for."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import unquote

from kernel_tools.core.errors import NotFoundError
from kernel_tools.hosting.wire.errors import MethodNotAllowedError


class Operation(StrEnum):
    """What an endpoint is asked to do."""

    PING = "ping"
    INVOKE = "invoke"
    METRICS = "metrics"
    SAGEMAKER_INVOKE = "sagemaker_invoke"
    SAGEMAKER_INVOKE_ASYNC = "sagemaker_invoke_async"
    SAGEMAKER_INVOKE_STREAM = "sagemaker_invoke_stream"
    V2_LIVE = "v2_live"
    V2_READY = "v2_ready"
    V2_SERVER_METADATA = "v2_server_metadata"
    V2_MODEL_METADATA = "v2_model_metadata"
    V2_MODEL_READY = "v2_model_ready"
    V2_INFER = "v2_infer"

    @property
    def is_sagemaker(self) -> bool:
        """Whether errors are answered in sagemaker-runtime's shapes."""
        return self.value.startswith("sagemaker_")

    @property
    def is_v2(self) -> bool:
        """Whether errors are answered in the Open Inference Protocol's shape."""
        return self.value.startswith("v2_")


@dataclass(frozen=True, slots=True)
class Route:
    """An operation and what its path names: `endpoint`, or `model` and `version`."""

    operation: Operation
    parameters: dict[str, str] = field(default_factory=dict)


_READS = ("GET", "HEAD")
_POST = ("POST",)

_ROUTES: tuple[tuple[tuple[str, ...], str, Operation], ...] = (
    (_READS, "/ping", Operation.PING),
    (_POST, "/invocations", Operation.INVOKE),
    (_READS, "/metrics", Operation.METRICS),
    (_POST, "/endpoints/{endpoint}/invocations", Operation.SAGEMAKER_INVOKE),
    (_POST, "/endpoints/{endpoint}/async-invocations", Operation.SAGEMAKER_INVOKE_ASYNC),
    (_POST, "/endpoints/{endpoint}/invocations-response-stream", Operation.SAGEMAKER_INVOKE_STREAM),
    (_READS, "/v2", Operation.V2_SERVER_METADATA),
    (_READS, "/v2/health/live", Operation.V2_LIVE),
    (_READS, "/v2/health/ready", Operation.V2_READY),
    (_READS, "/v2/models/{model}", Operation.V2_MODEL_METADATA),
    (_READS, "/v2/models/{model}/ready", Operation.V2_MODEL_READY),
    (_POST, "/v2/models/{model}/infer", Operation.V2_INFER),
    (_READS, "/v2/models/{model}/versions/{version}", Operation.V2_MODEL_METADATA),
    (_READS, "/v2/models/{model}/versions/{version}/ready", Operation.V2_MODEL_READY),
    (_POST, "/v2/models/{model}/versions/{version}/infer", Operation.V2_INFER),
)


class Dispatcher:
    """Finds the operation of a request.

    Parameters
    ----------
    operations
        The operations that are served; the others are not found. None serves all.
    """

    def __init__(self, operations: frozenset[Operation] | None = None) -> None:
        served = [route for route in _ROUTES if operations is None or route[2] in operations]
        self._plain = {path: (methods, Route(operation)) for methods, path, operation in served if "{" not in path}
        self._patterns = [(path.split("/"), methods, operation) for methods, path, operation in served if "{" in path]
        self._known = ", ".join(f"{methods[0]} {path}" for methods, path, _ in served)

    def match(self, method: str, path: str) -> Route:
        """Return the route of a request.

        Parameters
        ----------
        method
            The HTTP method in capitals.
        path
            The path as it was sent, with its percent escapes and without its query.

        Raises
        ------
        NotFoundError
            If no operation has this path; the message names those there are.
        MethodNotAllowedError
            If one has, by another method.
        """
        methods, route = self._plain.get(path) or self._match_pattern(path)
        if method not in methods:
            raise MethodNotAllowedError(f"{path[:200]} answers {' and '.join(methods)}, not {method[:20]}.", methods)
        return route

    def _match_pattern(self, path: str) -> tuple[tuple[str, ...], Route]:
        parts = path.split("/")
        for pattern, methods, operation in self._patterns:
            if len(parts) == len(pattern) and all(
                part if expected.startswith("{") else part == expected
                for part, expected in zip(parts[1:], pattern[1:], strict=True)
            ):
                found = {
                    expected[1:-1]: unquote(part)
                    for part, expected in zip(parts, pattern, strict=True)
                    if expected.startswith("{")
                }
                return methods, Route(operation, found)
        raise NotFoundError(f"There is no path {path[:200]!r}: this endpoint answers {self._known}.")
