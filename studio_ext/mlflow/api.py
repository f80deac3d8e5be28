"""One endpoint of MLflow's protocol: what it reads, what it asks for, which function answers it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from studio_ext.mlflow.checks import Checks
from studio_ext.mlflow.messages import Message

if TYPE_CHECKING:
    from kernel_tools.core.workspace import Workspace

PARAMETER = re.compile(r"\{(\w+)\}")
NOTHING = Message()


@dataclass(frozen=True)
class Context:
    """What an endpoint works on.

    Parameters
    ----------
    workspace
        The workspace.
    """

    workspace: Workspace


Answer = Callable[[Context, dict[str, Any]], dict[str, Any]]
"""Answers a request, as fields that were given, with the JSON of the reply; raises an `AtelierError`."""


@dataclass(frozen=True)
class Endpoint:
    """A verb and a path below ``/api/2.0/mlflow`` and, the same, below ``/ajax-api/2.0/mlflow``.

    Parameters
    ----------
    method
        The HTTP verb.
    path
        The path, with its parameters in braces; they are fields of the message too.
    answer
        The function that answers.
    message
        The fields of the request, in the query string of a GET, else in the body.
    checks
        What is asked of the fields.
    action
        What the caller must be allowed to do: ``read`` or ``write``. Default: ``read`` for a GET.
    """

    method: str
    path: str
    answer: Answer
    message: Message = NOTHING
    checks: Checks = field(default_factory=dict)
    action: str = ""

    @property
    def needed_action(self) -> str:
        """``read`` or ``write``."""
        return self.action or ("read" if self.method == "GET" else "write")

    @property
    def pattern(self) -> str:
        """The regular expression of the path."""
        return PARAMETER.sub(r"(?P<\1>[^/]+)", self.path)


@dataclass(frozen=True)
class EndpointTable:
    """Finds the endpoint of a path."""

    endpoints: list[Endpoint]
    _plain: Mapping[str, dict[str, Endpoint]] = field(init=False)
    _patterns: list[tuple[re.Pattern[str], dict[str, Endpoint]]] = field(init=False)

    def __post_init__(self) -> None:
        by_path: dict[str, dict[str, Endpoint]] = {}
        for endpoint in self.endpoints:
            by_path.setdefault(endpoint.path, {})[endpoint.method] = endpoint
        plain = {path: verbs for path, verbs in by_path.items() if "{" not in path}
        patterns = [
            (re.compile(next(iter(verbs.values())).pattern), verbs) for path, verbs in by_path.items() if "{" in path
        ]
        object.__setattr__(self, "_plain", plain)
        object.__setattr__(self, "_patterns", patterns)

    def find(self, path: str) -> tuple[dict[str, Endpoint], dict[str, str]] | None:
        """Return the verbs of a path and the values of its parameters, None if there is no such path."""
        if path in self._plain:
            return self._plain[path], {}
        for pattern, verbs in self._patterns:
            match = pattern.fullmatch(path)
            if match is not None:
                return verbs, match.groupdict()
        return None
