"""Fitted recipes of the Data Wrangler, alone and with the model that was trained on what they give, as one graph."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Literal

from kernel_tools.compiler.graphs import import_onnx, join
from kernel_tools.compiler.manifest import Encoding, Feed, Output
from kernel_tools.compiler.runtime import MISSING_TEXT
from kernel_tools.compiler.sources._base import Answer, Conversion, UnsupportedModelError
from kernel_tools.core.signature import Signature, Tensor

_RECIPE = "kernel_tools.wrangler.recipe.Recipe"
_MATRIX = "matrix"


class RecipeSource:
    """A recipe whose steps have learned. The predictions are the columns of its result."""

    name = "recipe"

    def recognizes(self, model: object) -> bool:
        """See `ModelSource`."""
        return f"{type(model).__module__}.{type(model).__qualname__}" == _RECIPE

    def conversions(self, model: Any, signature: Signature, sample: Any) -> list[Callable[[], Conversion]]:
        """See `ModelSource`."""
        return [lambda: _table(model.to_onnx(sample))]

    def answer(self, model: Any, rows: Any) -> Answer:
        """See `ModelSource`."""
        return {"predictions": records_of(model.transform(rows))}


class RecipeModelSource:
    """``(recipe, model)``: the model takes columns of the recipe's result, all of them numbers."""

    name = "recipe and model"

    def recognizes(self, model: object) -> bool:
        """See `ModelSource`."""
        return isinstance(model, (tuple, list)) and len(model) == 2 and RecipeSource().recognizes(model[0])

    def conversions(self, model: Any, signature: Signature, sample: Any) -> list[Callable[[], Conversion]]:
        """See `ModelSource`."""
        recipe, estimator = model
        columns = taken_columns(estimator)
        ways = _source(estimator).conversions(estimator, _matrix_signature(recipe, columns, sample), None)

        def convert(way: Callable[[], Conversion]) -> Conversion:
            tail = way()
            first = _side_by_side(recipe.to_onnx(sample, columns=columns))
            joined = join(first, tail.model, _MATRIX)
            return Conversion(
                joined, _feeds(first), tail.outputs, tail.classes, tail.is_most_probable, tail.precision, tail.notes
            )

        return [lambda way=way: convert(way) for way in ways]  # type: ignore[misc]  # a lambda with a default

    def answer(self, model: Any, rows: Any) -> Answer:
        """See `ModelSource`."""
        recipe, estimator = model
        numbers = numbers_of(recipe.transform(rows), taken_columns(estimator))
        answer: Answer = _source(estimator).answer(estimator, numbers)
        return answer


def _source(estimator: Any) -> Any:
    from kernel_tools.compiler.sources import find_source

    return find_source(estimator)


def taken_columns(estimator: Any) -> list[str] | None:
    """Return the columns that an estimator was fitted with, None if it does not say."""
    names = getattr(estimator, "feature_names_in_", None)
    if names is None:
        names = getattr(estimator, "feature_names", None) or getattr(estimator, "feature_name_", None)
    return None if names is None or callable(names) else [str(name) for name in names]


def numbers_of(frame: Any, columns: Sequence[str] | None) -> Any:
    """Return columns of a recipe's result as plain numbers, NaN where one is missing."""
    import numpy as np
    import pandas as pd

    if hasattr(frame, "to_pandas"):
        frame = frame.to_pandas()
    names = list(columns) if columns is not None else list(frame.columns)
    return pd.DataFrame({name: frame[name].to_numpy(dtype="float64", na_value=np.nan) for name in names})


def records_of(frame: Any) -> list[dict[str, Any]]:
    """Return the rows of a recipe's result as JSON's values."""
    from kernel_tools.compiler.feeds import is_missing

    if hasattr(frame, "to_pandas"):
        frame = frame.to_pandas()
    columns = {str(name): frame[name].tolist() for name in frame.columns}
    return [
        {name: _plain(value) if not is_missing(value) else None for name, value in zip(columns, row, strict=True)}
        for row in zip(*columns.values(), strict=True)
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, (bool, int, float, str)):
        return value
    if hasattr(value, "isoformat"):
        import numpy as np

        moment = value.tz_convert("UTC").tz_localize(None) if getattr(value, "tz", None) is not None else value
        return str(np.datetime64(moment.isoformat(), "us"))
    return value.item() if hasattr(value, "item") else str(value)


def _matrix_signature(recipe: Any, columns: Sequence[str] | None, sample: Any) -> Signature:
    width = len(columns) if columns is not None else numbers_of(recipe.transform(sample), None).shape[1]
    return Signature(tensor=Tensor("float64", [-1, width]))


def _feeds(model: Any) -> list[Feed]:
    kinds: dict[int, tuple[str, Encoding]] = {
        11: ("float64", "number"),
        8: ("object", "text"),
        7: ("int64", "moment"),
    }
    feeds = []
    for item in model.graph.input:
        dtype, encoding = kinds[item.type.tensor_type.elem_type]
        feeds.append(
            Feed(name=item.name, dtype=dtype, columns=[item.name], encodings=[encoding], missing_text=MISSING_TEXT)
        )
    return feeds


def _table(model: Any) -> Conversion:
    texts = {item.key: item.value for item in model.metadata_props}
    types = json.loads(texts["atelier.columns"])["outputs"]
    outputs = [
        Output(name=item.name, role="column", column=name, kind=_kind(dtype))
        for item, (name, dtype) in zip(model.graph.output, types.items(), strict=True)
    ]
    return Conversion(model, _feeds(model), outputs, precision="float64")


def _kind(dtype: str) -> Literal["number", "whole", "boolean", "text", "moment"]:
    name = dtype.lstrip("!")
    if name.startswith(("int", "uint")):
        return "whole"
    if name.startswith("bool"):
        return "boolean"
    if name.startswith(("timestamp", "date")):
        return "moment"
    return "text" if name.startswith("string") else "number"


def _side_by_side(model: Any) -> Any:
    """Put the columns of a recipe into one matrix of doubles."""
    onnx = import_onnx()
    outputs = list(model.graph.output)
    others = [item.name for item in outputs if item.type.tensor_type.elem_type != onnx.TensorProto.DOUBLE]
    if others:
        raise UnsupportedModelError(
            f"The recipe's column {others[0].removeprefix('out.')!r} is no number, and the model takes a matrix of "
            "numbers: encode or drop it in the recipe."
        )
    names = [item.name for item in outputs]
    model.graph.node.append(onnx.helper.make_node("Concat", names, [_MATRIX], axis=1))
    del model.graph.output[:]
    shape = [None, len(names)]
    model.graph.output.append(onnx.helper.make_tensor_value_info(_MATRIX, onnx.TensorProto.DOUBLE, shape))
    return model
