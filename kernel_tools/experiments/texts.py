"""Keys and texts of parameters, tags and metrics: what may be one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kernel_tools.core.errors import InvalidArgumentError, TooLargeError

MAX_KEY = 250
MAX_TEXT = 100_000
"""Longest value of a parameter or tag, in characters."""
MAX_KEYS = 100_000
"""Most parameters, tags or metrics of one run."""


def validate_key(key: str) -> str:
    """Return `key` if it can name a metric, parameter or tag, else raise InvalidArgumentError."""
    if not isinstance(key, str) or not 0 < len(key) <= MAX_KEY or not key.isprintable():
        raise InvalidArgumentError(
            f"{str(key)[:80]!r} is not a valid key: use 1 to {MAX_KEY} printable characters, such as 'validation/auc'."
        )
    return key


def to_texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Check the keys of parameters or tags and turn their values into texts.

    Raises
    ------
    InvalidArgumentError
        If a key cannot be used, or a value is too long.
    """
    return {validate_key(key): _to_text(key, value) for key, value in values.items()}


def check_count(count: int, what: str) -> None:
    """Raise TooLargeError if a run would have more parameters, tags or metrics than it may."""
    if count > MAX_KEYS:
        raise TooLargeError(
            f"The run would have {count:,} {what}; at most {MAX_KEYS:,} are kept. Log what is a table or a list as an "
            "artifact instead."
        )


def _to_text(key: str, value: Any) -> str:
    text = str(value)
    if len(text) > MAX_TEXT:
        raise InvalidArgumentError(
            f"The value of {key!r} has {len(text):,} characters; at most {MAX_TEXT:,} are kept. Log it as an "
            "artifact instead."
        )
    if "\0" in text:
        raise InvalidArgumentError(f"The value of {key!r} has a NUL character, which no database keeps. Leave it out.")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidArgumentError(f"The value of {key!r} is not valid Unicode: {error.reason}.") from error
    return text
