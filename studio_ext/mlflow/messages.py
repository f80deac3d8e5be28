"""Reading the JSON of MLflow's protocol: typed fields as protocol buffers understand them, and the values they take.

A `Message` says which fields a request has. It reads JSON as the JSON mapping of protocol buffers does: whole numbers
may be strings, NaN and infinities are strings, names may be in camel case, unknown fields are ignored, null is absent.
Which fields a request must have is said in `validation`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from studio_ext.mlflow.errors import INVALID_PARAMETER_VALUE, MlflowError

WHOLE_NUMBER = re.compile(r"[+-]?\d+")
INT_RANGES = {"int32": 2**31, "int64": 2**63}
SPECIAL_NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class ParseError(ValueError):
    """A value that does not fit its field; answered as INVALID_PARAMETER_VALUE."""


@dataclass(frozen=True)
class Enumeration:
    """Names and numbers of an enumeration; JSON may give either."""

    numbers: Mapping[str, int]

    def read(self, value: object) -> str:
        """Return the name."""
        for name, number in self.numbers.items():
            if value == name or (value == number and not isinstance(value, bool)) or value == str(number):
                return name
        raise ParseError(f"{value!r} is none of {', '.join(self.numbers)}")


RUN_STATUS = Enumeration({"RUNNING": 1, "SCHEDULED": 2, "FINISHED": 3, "FAILED": 4, "KILLED": 5})
VIEW_TYPE = Enumeration({"ACTIVE_ONLY": 1, "DELETED_ONLY": 2, "ALL": 3})
LOGGED_MODEL_STATUS = Enumeration(
    {
        "LOGGED_MODEL_STATUS_UNSPECIFIED": 0,
        "LOGGED_MODEL_PENDING": 1,
        "LOGGED_MODEL_READY": 2,
        "LOGGED_MODEL_UPLOAD_FAILED": 3,
    }
)


class Message:
    """The fields of a request or of a part of one.

    Parameters
    ----------
    fields
        For every name ``string``, ``bool``, ``double``, ``int32``, ``int64``, an `Enumeration`, a `Message`, or a list
        with one of them for a repeated field.
    """

    def __init__(self, **fields: Any) -> None:
        self.fields = fields
        self._names = {_camel_case(name): name for name in fields} | {name: name for name in fields}

    def read(self, content: object, into: dict[str, Any]) -> dict[str, Any]:
        """Read `content` into `into`, which holds only fields that are given, and return it.

        Raises
        ------
        ParseError
            At the first value that does not fit; the ones before it have been read.
        MlflowError
            If a field is given under both of its names.
        """
        if not isinstance(content, Mapping):
            raise ParseError(f"{_shown(content)} is not an object")
        for given, value in content.items():
            name = self._names.get(given)
            if name is None:
                continue
            if name != given and name in content:
                raise MlflowError(
                    INVALID_PARAMETER_VALUE,
                    f"Request specifies both '{name}' and '{given}'; provide only one of them.",
                )
            if value is not None:
                into[name] = _read_field(name, self.fields[name], value)
        return into

    def from_query(self, query: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """Turn a query string into the JSON that a body would hold."""
        content: dict[str, Any] = {}
        for name, kind in self.fields.items():
            texts = query.get(name)
            if not texts:
                continue
            if isinstance(kind, list):
                content[name] = list(texts)
            elif kind == "bool":
                if texts[0].lower() not in ("true", "false"):
                    raise MlflowError(
                        INVALID_PARAMETER_VALUE, f"Invalid boolean value: {texts[0]}, must be 'true' or 'false'."
                    )
                content[name] = texts[0].lower() == "true"
            else:
                content[name] = texts[0]
        return content


def _read_field(name: str, kind: Any, value: object) -> object:
    if not isinstance(kind, list):
        return _read_value(name, kind, value)
    if not isinstance(value, list):
        raise ParseError(f"{name}: {_shown(value)} is not a list")
    return [_read_value(f"{name}[{position}]", kind[0], item) for position, item in enumerate(value)]


def _read_value(name: str, kind: Any, value: object) -> object:
    try:
        if isinstance(kind, Message):
            return kind.read(value, {})
        if isinstance(kind, Enumeration):
            return kind.read(value)
        return _READERS[kind](value)
    except ParseError as error:
        raise ParseError(f"{name}: {error}") from None


def _read_string(value: object) -> str:
    if not isinstance(value, str):
        raise ParseError(f"{_shown(value)} is not a string")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ParseError(f"{_shown(value)} is not valid Unicode") from None
    return value


def _read_bool(value: object) -> bool:
    if not isinstance(value, bool):
        raise ParseError(f"{_shown(value)} is not true or false")
    return value


def _read_int32(value: object) -> int:
    return _read_int(value, INT_RANGES["int32"])


def _read_int64(value: object) -> int:
    return _read_int(value, INT_RANGES["int64"])


def _read_int(value: object, end: int) -> int:
    is_text = isinstance(value, str) and WHOLE_NUMBER.fullmatch(value) is not None and len(value) < 25
    is_whole = isinstance(value, (int, float)) and not isinstance(value, bool) and value == value // 1
    if not (is_text or is_whole):
        raise ParseError(f"{_shown(value)} is not a whole number")
    number: int = int(value)  # type: ignore[call-overload]  # a text or a number
    if not -end <= number < end:
        raise ParseError(f"{_shown(value)} is out of range")
    return number


def _read_double(value: object) -> float:
    if isinstance(value, str):
        if value in SPECIAL_NUMBERS:
            return SPECIAL_NUMBERS[value]
        try:
            number = float(value)
        except ValueError:
            raise ParseError(f"{_shown(value)} is not a number") from None
        if not math.isfinite(number):
            raise ParseError(f"{_shown(value)} is not a number: write NaN, Infinity or -Infinity")
        return number
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ParseError(f"{_shown(value)} is not a number")
    try:
        number = float(value)
    except OverflowError:
        raise ParseError(f"{_shown(value)} is out of range") from None
    return number


_READERS: dict[str, Any] = {
    "string": _read_string,
    "bool": _read_bool,
    "int32": _read_int32,
    "int64": _read_int64,
    "double": _read_double,
}


def write_number(value: float) -> float | str:
    """Return a number as JSON has it: NaN and infinities as strings."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def write_pairs(content: Mapping[str, str]) -> list[dict[str, str]]:
    """Return a mapping as the list of keys and values that the protocol uses."""
    return [{"key": key, "value": value} for key, value in content.items()]


def _camel_case(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
