"""What a request must hold: required fields, types and ranges, with the answers that MLflow's clients know.

What names, keys and values may look like is said in `limits`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from studio_ext.mlflow.errors import MlflowError, invalid
from studio_ext.mlflow.messages import Message, ParseError

Check = Callable[[str, Any, bool], None]
"""A check of one field: its name, its value as it stood in the JSON (None if absent), whether all types fit."""

Checks = Mapping[str, Sequence[Check]]

DOCUMENTED = " See the API docs for more information about request parameters."


def read_request(message: Message, checks: Checks, content: object) -> dict[str, Any]:
    """Read and check a request.

    Parameters
    ----------
    message
        Its fields.
    checks
        What is asked of some of them, in the order in which it is asked.
    content
        The JSON.

    Returns
    -------
    dict
        The fields that were given; ``run_uuid``, the old name of ``run_id``, is renamed.

    Raises
    ------
    MlflowError
        INVALID_PARAMETER_VALUE, naming the field.
    """
    if not isinstance(content, Mapping):
        raise invalid("The body of the request is not a JSON object. Send an object with the request's parameters.")
    request: dict[str, Any] = {}
    problem: ParseError | None = None
    try:
        message.read(content, request)
    except ParseError as error:
        problem = error
    for name, asked in checks.items():
        value = content.get(name)
        if name == "run_id" and value is None:
            value = content.get("run_uuid")
        if name in content or required in asked:
            for check in asked:
                check(name, value, problem is None)
    if problem is not None:
        raise invalid(f"The request was not understood: {problem}.{DOCUMENTED}")
    old_name = request.pop("run_uuid", None)
    if old_name and not request.get("run_id"):
        request["run_id"] = old_name
    return request


def invalid_value(name: str, value: object, hint: str = "") -> MlflowError:
    """Return the error for a value of a parameter, in MLflow's words."""
    shown = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return invalid(f"Invalid value {shown} for parameter '{name}' supplied" + (f": {hint}" if hint else "."))


def missing_value(name: str) -> str:
    """Return what to say about a parameter that is missing, in MLflow's words."""
    return f"Missing value for required parameter '{name}'."


def required(name: str, value: Any, types_fit: bool) -> None:
    """Refuse a field that is absent or empty."""
    if value is None or value == "":
        raise invalid(missing_value(name) + DOCUMENTED)


def string(name: str, value: Any, types_fit: bool) -> None:
    """Refuse what is no text."""
    _require(name, value, types_fit or isinstance(value, str))


def whole(name: str, value: Any, types_fit: bool) -> None:
    """Refuse what is no whole number."""
    _require(name, value, types_fit or _can_be(int, value))


def number(name: str, value: Any, types_fit: bool) -> None:
    """Refuse what is no number."""
    _require(name, value, types_fit or _can_be(float, value))


def boolean(name: str, value: Any, types_fit: bool) -> None:
    """Refuse what is neither true nor false."""
    _require(name, value, types_fit or isinstance(value, bool))


def array(name: str, value: Any, types_fit: bool) -> None:
    """Refuse what is no list."""
    _require(name, value, types_fit or isinstance(value, list))


def strings(name: str, value: Any, types_fit: bool) -> None:
    """Refuse a list with an item that is no text."""
    _require(name, value, types_fit or (isinstance(value, list) and all(isinstance(item, str) for item in value)))


def at_most(limit: int) -> Check:
    """Refuse a number above `limit`."""

    def check(name: str, value: Any, types_fit: bool) -> None:
        _require(name, value, not _can_be(int, value) or int(value) <= limit)

    return check


def between(low: int, high: int, message: str) -> Check:
    """Refuse a number that is not between `low` and `high`."""

    def check(name: str, value: Any, types_fit: bool) -> None:
        if _can_be(int, value) and not low <= int(value) <= high:
            raise invalid(message + DOCUMENTED)

    return check


def at_most_items(limit: int, message: str) -> Check:
    """Refuse a list with more than `limit` items; ``{count}`` in the message is how many there are."""

    def check(name: str, value: Any, types_fit: bool) -> None:
        if isinstance(value, list) and len(value) > limit:
            raise invalid(message.format(count=len(value)) + DOCUMENTED)

    return check


def each_has(*names: str) -> Check:
    """Refuse a list with an item that lacks one of these fields."""

    def check(name: str, value: Any, types_fit: bool) -> None:
        for position, item in enumerate(value if isinstance(value, list) else []):
            for key in names:
                found = item.get(key) if isinstance(item, Mapping) else None
                if found is None or found == "":
                    raise invalid(missing_value(f"{name}[{position}].{key}") + DOCUMENTED)

    return check


def _require(name: str, value: Any, fits: bool) -> None:
    if not fits:
        error = invalid_value(name, value, f" Hint: Value was of type '{type(value).__name__}'.")
        raise invalid(f"{error}{DOCUMENTED}")


def _can_be(kind: type[int] | type[float], value: Any) -> bool:
    if value is None or isinstance(value, bool):
        return False
    try:
        kind(value)
    except (TypeError, ValueError, OverflowError):
        return False
    return True
