"""scikit-learn's estimators and pipelines, by skl2onnx.

Columns go in one by one where the pipeline chooses them by name, and as one matrix otherwise.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from kernel_tools.compiler.graphs import IR_VERSION, OPSET, cut_trees_to_float, even_types
from kernel_tools.compiler.manifest import Feed, Output
from kernel_tools.compiler.runtime import MISSING_TEXT
from kernel_tools.compiler.sources._base import (
    Answer,
    Conversion,
    UnsupportedModelError,
    estimator_answer,
    is_number,
    plain_classes,
    width_of,
)
from kernel_tools.compiler.sources.converters import adapted, converters, parts
from kernel_tools.compiler.trees import INPUT
from kernel_tools.core.errors import MissingExtraError
from kernel_tools.core.signature import Column, ColumnType, Signature

SKL_ML_OPSET = 3
_DTYPES = {"float": "float32", "double": "float64"}


class ScikitLearnSource:
    """Whatever skl2onnx converts."""

    name = "scikit-learn"

    def recognizes(self, model: object) -> bool:
        """See `ModelSource`."""
        return any(
            f"{base.__module__}.{base.__qualname__}" == "sklearn.base.BaseEstimator" for base in type(model).__mro__
        )

    def conversions(self, model: Any, signature: Signature, sample: Any) -> list[Callable[[], Conversion]]:
        """Doubles first, which is what scikit-learn computes in; floats where skl2onnx has no doubles."""
        return [
            functools.partial(convert_estimator, model, signature, precision, whole)
            for precision in ("double", "float")
            for whole in (False, True)
            if not whole or any(column.type is ColumnType.LONG for column in signature.columns)
        ]

    def answer(self, model: Any, rows: Any) -> Answer:
        """Predictions of an estimator; of a transformer what it makes of the rows."""
        if hasattr(model, "predict"):
            return estimator_answer(model, rows)
        found = model.transform(rows)
        return {"predictions": found.toarray() if hasattr(found, "toarray") else found}


def convert_estimator(model: Any, signature: Signature, precision: str, whole: bool = False) -> Conversion:
    """Return an estimator as a graph.

    Parameters
    ----------
    model
        The fitted estimator.
    signature
        What goes in.
    precision
        ``double`` or ``float``.
    whole
        Whether whole numbers go in as such; some encoders need it.

    Raises
    ------
    UnsupportedModelError
        If skl2onnx cannot convert a part of it; the message says which.
    MissingExtraError
        If skl2onnx is not installed.
    """
    try:
        from skl2onnx import convert_sklearn
    except ImportError as error:
        raise MissingExtraError("skl2onnx", "compiler") from error
    feeds, types = _inputs(model, signature, precision, whole)
    is_classifier = hasattr(model, "classes_") and hasattr(model, "predict")
    has_probabilities = is_classifier and hasattr(model, "predict_proba")
    changed = adapted(model)
    shapes, functions = converters(missing_text(model))
    try:
        made = convert_sklearn(
            changed,
            initial_types=types,
            options={id(changed): {"zipmap": False}} if has_probabilities else None,
            target_opset={"": OPSET, "ai.onnx.ml": SKL_ML_OPSET},
            custom_shape_calculators=shapes,
            custom_conversion_functions=functions,
        )
    except Exception as error:  # skl2onnx raises what it likes, down to RuntimeError and KeyError
        reason = str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
        raise UnsupportedModelError(f"skl2onnx cannot convert this {type(model).__name__}: {reason}") from error
    made.ir_version = min(made.ir_version, IR_VERSION)
    made = even_types(made)
    if _rounds_in_trees(model):
        made = cut_trees_to_float(made)
    outputs, classes = _outputs(model, made, is_classifier)
    return Conversion(made, feeds, outputs, classes, precision=_DTYPES[precision])


def _rounds_in_trees(model: Any) -> bool:
    """scikit-learn's trees round their input to float32; its histogram boosting does not."""
    names = {type(part).__name__ for part in parts(model)}
    has_histograms = any(name.startswith("HistGradientBoosting") for name in names)
    return not has_histograms and any(
        "Tree" in name or "Forest" in name or "GradientBoosting" in name for name in names
    )


def takes_columns(model: Any) -> bool:
    """Say whether an estimator chooses columns by name."""
    return any(type(part).__name__ == "ColumnTransformer" for part in parts(model))


def _inputs(model: Any, signature: Signature, precision: str, whole: bool) -> tuple[list[Feed], list[tuple[str, Any]]]:
    from skl2onnx.common import data_types

    number = data_types.DoubleTensorType if precision == "double" else data_types.FloatTensorType
    dtype = _DTYPES[precision]
    columns = signature.columns
    if signature.tensor is not None:
        return [Feed(name=INPUT, dtype=dtype)], [(INPUT, number([None, width_of(signature)]))]
    names = [column.name for column in columns]
    if not takes_columns(model):
        if all(is_number(column) for column in columns):
            numbers = Feed(name=INPUT, dtype=dtype, columns=names, encodings=["number"] * len(names))
            return [numbers], [(INPUT, number([None, len(names)]))]
        if all(_is_text(column) for column in columns):
            texts = Feed(
                name=INPUT,
                dtype="object",
                columns=names,
                encodings=["text"] * len(names),
                missing_text=missing_text(model),
            )
            return [texts], [(INPUT, data_types.StringTensorType([None, len(names)]))]
    feeds, types = [], []
    for column in columns:
        if _is_text(column):
            kind, given, encoding = data_types.StringTensorType, "object", "text"
        elif column.type is ColumnType.DATETIME:
            raise UnsupportedModelError(
                f"Column {column.name!r} holds dates, which skl2onnx does not take: leave it out of the sample if the "
                "model does not use it, or make numbers of it in a recipe."
            )
        elif whole and column.type is ColumnType.LONG and not column.nullable:
            kind, given, encoding = data_types.Int64TensorType, "int64", "number"
        else:
            kind, given, encoding = number, dtype, "number"
        missing = missing_text(model) if encoding == "text" else ""
        feeds.append(
            Feed(name=column.name, dtype=given, columns=[column.name], encodings=[encoding], missing_text=missing)  # type: ignore[list-item]  # both are encodings
        )
        types.append((column.name, kind([None, 1])))
    return feeds, types


def _is_text(column: Column) -> bool:
    return column.type is ColumnType.STRING


def missing_text(model: Any) -> str:
    """Return the text that stands for a missing one; where encoders learned it as a category, what skl2onnx writes."""
    for part in parts(model):
        for categories in getattr(part, "categories_", None) or []:
            values = categories.tolist() if hasattr(categories, "tolist") else list(categories)
            if any(isinstance(value, float) and value != value for value in values):
                return "nan"
            if None in values:
                return "None"
    return MISSING_TEXT


def _outputs(model: Any, made: Any, is_classifier: bool) -> tuple[list[Output], list[Any] | None]:
    names = [item.name for item in made.graph.output]
    if not is_classifier:
        if len(names) != 1:
            raise UnsupportedModelError(f"The graph has {len(names)} outputs where one is expected: {names}.")
        return [Output(name=names[0], role="value")], None
    if isinstance(model.classes_, list):
        raise UnsupportedModelError("The model gives several labels for one row, which a package has no place for.")
    outputs = [Output(name=names[0], role="label")]
    if hasattr(model, "predict_proba"):
        outputs.append(Output(name=names[1], role="probabilities"))
    return outputs, plain_classes(model.classes_)
