"""The operators: their names, and how one is found, made from the parameters of a recipe, and described.

A name stands for one class in the file of its family; a file is imported when one of its operators is used.
"""

from __future__ import annotations

import functools
import importlib
from typing import Any

from pydantic import BaseModel, ValidationError

from kernel_tools.core.errors import NotFoundError
from kernel_tools.wrangler.operators.base import Operator, StepError

OPERATORS: dict[str, str] = {
    "aggregate": "aggregation:Aggregate",
    "assemble_vector": "nested:AssembleVector",
    "balance": "balance:Balance",
    "bin": "computed:Bin",
    "box_cox": "transforms:BoxCox",
    "case": "computed:Case",
    "cast": "conversions:Cast",
    "character_statistics": "text:CharacterStatistics",
    "concatenate": "combine:Concatenate",
    "custom_pandas": "custom:CustomPandas",
    "custom_polars": "custom:CustomPolars",
    "custom_python": "custom:CustomPython",
    "custom_sql": "custom:CustomSql",
    "date_parts": "dates:DateParts",
    "datetime_range": "time_series:DatetimeRange",
    "disguised_to_null": "missing:DisguisedToNull",
    "drop": "columns:Drop",
    "drop_duplicates": "rows:DropDuplicates",
    "drop_missing": "missing:DropMissing",
    "duplicate": "columns:Duplicate",
    "edit_string": "strings:EditString",
    "explode": "rows:Explode",
    "extract_features": "time_series:ExtractFeatures",
    "fill": "missing:Fill",
    "fill_direction": "filling:FillDirection",
    "fill_time_series": "time_series:FillTimeSeries",
    "filter": "rows:Filter",
    "flatten_json": "nested:FlattenJson",
    "flatten_vector": "nested:FlattenVector",
    "format_string": "strings:FormatString",
    "formula": "computed:Formula",
    "frequency": "encoding:Frequency",
    "hashing_encode": "similarity:HashingEncode",
    "impute": "missing:Impute",
    "interpolate": "filling:Interpolate",
    "join": "combine:Join",
    "lag": "time_series:Lag",
    "limit": "rows:Limit",
    "log": "transforms:Log",
    "max_abs_scale": "scaling:MaxAbsScale",
    "min_max_scale": "scaling:MinMaxScale",
    "missing_indicator": "missing:MissingIndicator",
    "move": "columns:Move",
    "one_hot": "encoding:OneHot",
    "ordinal": "encoding:Ordinal",
    "outliers": "outliers:Outliers",
    "parse_datetime": "conversions:ParseDatetime",
    "pca": "components:Pca",
    "pivot": "reshaping:Pivot",
    "quantile_bins": "transforms:QuantileBins",
    "rename": "columns:Rename",
    "replace_rare": "rare:ReplaceRare",
    "resample": "time_series:Resample",
    "robust_scale": "scaling:RobustScale",
    "rolling": "time_series:Rolling",
    "sample": "sampling:Sample",
    "select": "columns:Select",
    "shuffle": "rows:Shuffle",
    "similarity_encode": "similarity:SimilarityEncode",
    "sort": "rows:Sort",
    "split": "splits:Split",
    "standardize": "scaling:Standardize",
    "standardize_length": "time_series:StandardizeLength",
    "stratified_sample": "sampling:StratifiedSample",
    "target_encode": "targets:TargetEncode",
    "unpivot": "reshaping:Unpivot",
    "validate_string": "strings:ValidateString",
    "validate_timestamps": "time_series:ValidateTimestamps",
    "vectorize_text": "text:VectorizeText",
    "window": "windows:Window",
    "yeo_johnson": "transforms:YeoJohnson",
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
        raise parameter_error(kind.title, kind, error) from error


def parameter_error(title: str, kind: type[BaseModel], error: ValidationError) -> StepError:
    """Return what is wrong with the first of the parameters that do not fit, and which parameters there are."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    known = ", ".join(kind.model_fields)
    said = first["msg"].removeprefix("Value error, ").rstrip(".")
    text = f"{title}: {where}: {said}." if where else f"{title}: {said}."
    hint = f" The parameters are: {known}." if first["type"] in ("extra_forbidden", "missing") else ""
    return StepError(text + hint, field=str(first["loc"][0]) if first["loc"] else None)


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
