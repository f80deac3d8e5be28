"""What steps have learned, as JSON: dates, exact decimals and bytes are kept with their type."""

from __future__ import annotations

import base64
import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from kernel_tools.core.errors import InvalidDataError

TYPE = "$type"


def encode_state(value: Any) -> Any:
    """Return `value` as JSON can hold it.

    Numbers, text, truth values, None, lists and dictionaries stay; other values become
    ``{"$type": ..., "value": ...}``.

    Raises
    ------
    TypeError
        If a value is of a type that cannot be kept: a fault of the operator.
    """
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {TYPE: "float", "value": str(value)}
    if isinstance(value, dict):
        return {str(key): encode_state(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [encode_state(item) for item in value]
    if isinstance(value, datetime):
        return {TYPE: "datetime", "value": value.isoformat()}
    if isinstance(value, (date, time)):
        return {TYPE: type(value).__name__, "value": value.isoformat()}
    if isinstance(value, timedelta):
        return {TYPE: "timedelta", "value": value.total_seconds()}
    if isinstance(value, Decimal):
        return {TYPE: "decimal", "value": str(value)}
    if isinstance(value, bytes):
        return {TYPE: "bytes", "value": base64.b64encode(value).decode()}
    if hasattr(value, "tolist"):
        return encode_state(value.tolist())
    raise TypeError(f"A state cannot hold a {type(value).__name__}.")


_DECODERS: dict[str, Any] = {
    "float": float,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "timedelta": lambda seconds: timedelta(seconds=seconds),
    "decimal": Decimal,
    "bytes": base64.b64decode,
}


def decode_state(value: Any) -> Any:
    """Return what `encode_state` was given.

    Raises
    ------
    InvalidDataError
        If the JSON was not made by it.
    """
    if isinstance(value, list):
        return [decode_state(item) for item in value]
    if not isinstance(value, dict):
        return value
    if TYPE not in value:
        return {key: decode_state(item) for key, item in value.items()}
    try:
        return _DECODERS[value[TYPE]](value["value"])
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise InvalidDataError(
            f"What a step has learned holds {value!r}, which is no value. Fit the recipe again."
        ) from error
