"""The operators: their names, and how one is found, made from the parameters of a recipe, and described.

A name stands for one class in the file of its family; a file is imported when one of its operators is used.
"""

from __future__ import annotations

import functools
import importlib
from typing import Any

from pydantic import ValidationError

from kernel_tools.core.errors import NotFoundError
from kernel_tools.wrangler.operators.base import Operator, StepError

OPERATORS: dict[str, str] = {
    "aggregate": "aggregation:Aggregate",
    "bin": "computed:Bin",
    "case": "computed:Case",
    "cast": "conversions:Cast",
    "concatenate": "combine:Concatenate",
    "drop": "columns:Drop",
    "drop_duplicates": "rows:DropDuplicates",
    "duplicate": "columns:Duplicate",
    "explode": "rows:Explode",
    "filter": "rows:Filter",
    "formula": "computed:Formula",
    "impute": "missing:Impute",
    "join": "combine:Join",
    "limit": "rows:Limit",
    "move": "columns:Move",
    "one_hot": "encoding:OneHot",
    "parse_datetime": "conversions:ParseDatetime",
    "pivot": "reshaping:Pivot",
    "rename": "columns:Rename",
    "sample": "sampling:Sample",
    "select": "columns:Select",
    "shuffle": "rows:Shuffle",
    "sort": "rows:Sort",
    "split": "splits:Split",
    "stratified_sample": "sampling:StratifiedSample",
    "unpivot": "reshaping:Unpivot",
    "window": "windows:Window",
}
"""Where the class of each operator is: the file, and the name in it."""


class UnknownOperatorError(NotFoundError):
    """A step of an operator that this version of Atelier does not have."""


@functools.cache
def operator_class(op: str) -> type[Operator]:
    """Return the class of an operator.

    Raises
    ------
    UnknownOperatorError
        If there is none of that name.
    """
    if op not in OPERATORS:
        raise UnknownOperatorError(
            f"There is no operator {op!r} here. The step is kept; update jupyter-atelier, or turn the step off."
        )
    module, name = OPERATORS[op].split(":")
    found: type[Operator] = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    return found


def make_operator(op: str, params: dict[str, Any]) -> Operator:
    """Return an operator with its parameters.

    Raises
    ------
    UnknownOperatorError
        If there is none of that name.
    StepError
        If a parameter is missing, unknown or of a wrong type; it names the first.
    """
    kind = operator_class(op)
    try:
        return kind.model_validate(params)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        known = ", ".join(kind.model_fields)
        said = first["msg"].removeprefix("Value error, ").rstrip(".")
        text = f"{kind.title}: {where}: {said}." if where else f"{kind.title}: {said}."
        hint = f" The parameters are: {known}." if first["type"] in ("extra_forbidden", "missing") else ""
        raise StepError(text + hint, field=str(first["loc"][0]) if first["loc"] else None) from error


def schema_of(op: str) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of an operator's parameters, with hints for the form under ``x-ui``."""
    kind = operator_class(op)
    schema = kind.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"atelier:operator/{op}@{kind.version}",
        **schema,
        "title": kind.title,
    }
