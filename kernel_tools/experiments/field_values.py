"""Fields of runs by the names that the search has for them, such as ``metrics.auc``, ``params.depth``, ``status``."""

from __future__ import annotations

import math
from collections.abc import Sequence

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.experiments.filters import RUN_WORDS
from kernel_tools.experiments.records import RunRecord
from kernel_tools.experiments.search_grammar import Field, parse_field

_ATTRIBUTES = {"run_id": "id", "run_name": "name"}


def read_field(text: str) -> Field:
    """Return the field that a text names.

    Raises
    ------
    InvalidArgumentError
        If it is not understood, or is about datasets, of which a run may have several.
    """
    field = parse_field(text, RUN_WORDS)
    if field.entity == "dataset":
        raise InvalidArgumentError(f"{text!r} is not one value of a run. Use metrics., params., tags. or an attribute.")
    return field


def value_of(record: RunRecord, field: Field) -> str | float | None:
    """Return what a run has in a field; None if it has nothing there."""
    if field.entity == "attributes":
        value = getattr(record, _ATTRIBUTES.get(field.key, field.key))
        return value if value is None or isinstance(value, int | float) else str(value)
    values: dict[str, str] | dict[str, float] = getattr(record, field.entity)
    return values.get(field.key)


def as_numbers(values: Sequence[str | float | None]) -> list[float] | None:
    """Return values as numbers, None being NaN; None if one of them is a text that says no number, or all are None."""
    numbers: list[float] = []
    for value in values:
        try:
            numbers.append(math.nan if value is None else float(value))
        except ValueError:
            return None
    return numbers if any(value is not None for value in values) else None


def title_of(field: Field) -> str:
    """Return the words for a field on an axis."""
    return field.key.replace("_", " ") if field.entity == "attributes" else field.key
