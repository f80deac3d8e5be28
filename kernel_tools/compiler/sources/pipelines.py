"""scikit-learn's pipelines that end in trees: what comes before by skl2onnx, the trees exactly as they are."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from kernel_tools.compiler.graphs import import_onnx, join
from kernel_tools.compiler.sources._base import Answer, Conversion, ModelSource, UnsupportedModelError, estimator_answer
from kernel_tools.compiler.sources.boosted import GradientBoostingSource, HistogramSource
from kernel_tools.compiler.sources.forests import ForestSource
from kernel_tools.compiler.sources.lightgbm import LightgbmSource
from kernel_tools.compiler.sources.scikit_learn import ScikitLearnSource
from kernel_tools.compiler.sources.xgboost import XgboostSource
from kernel_tools.core.signature import Signature, Tensor

_TAILS: tuple[ModelSource, ...] = (
    XgboostSource(),
    LightgbmSource(),
    ForestSource(),
    GradientBoostingSource(),
    HistogramSource(),
)
_TRANSFORMERS = ScikitLearnSource()
PROBED_ROWS = 8


class PipelineSource:
    """Pipelines whose last step is a model of trees."""

    name = "scikit-learn-pipeline"

    def recognizes(self, model: object) -> bool:
        """See `ModelSource`."""
        steps = getattr(model, "steps", None)
        is_pipeline = type(model).__name__ == "Pipeline" and isinstance(steps, list) and len(steps) > 1
        return is_pipeline and _tail(model) is not None

    def conversions(self, model: Any, signature: Signature, sample: Any) -> list[Callable[[], Conversion]]:
        """See `ModelSource`."""
        head = model[:-1]
        if all(step in (None, "passthrough") for _, step in head.steps):
            tail = _tail(model)
            assert tail is not None
            return tail.conversions(model.steps[-1][1], signature, sample)
        given = head.transform(sample[:PROBED_ROWS])
        ways = _TRANSFORMERS.conversions(head, signature, sample)
        return [functools.partial(_joined, way, model, given) for way in ways]

    def answer(self, model: Any, rows: Any) -> Answer:
        """See `ModelSource`."""
        return estimator_answer(model, rows)


def _tail(model: Any) -> ModelSource | None:
    last = model.steps[-1][1]
    return next((source for source in _TAILS if source.recognizes(last)), None)


def _joined(way: Callable[[], Conversion], model: Any, given: Any) -> Conversion:
    head, last, source = way(), model.steps[-1][1], _tail(model)
    assert source is not None
    if len(given.shape) != 2:
        raise UnsupportedModelError("What comes before the model gives no table of numbers.")
    matrix = Signature(tensor=Tensor("float64", [-1, int(given.shape[1])]))
    tail = source.conversions(last, matrix, None)[0]()
    first, output = head.model, head.outputs[0].name
    if source.name == "xgboost" and hasattr(given, "toarray"):
        output = _zeros_are_missing(first, output)
    joined = join(first, tail.model, output)
    return Conversion(
        joined, head.feeds, tail.outputs, tail.classes, tail.is_most_probable, head.precision, [*head.notes]
    )


def _zeros_are_missing(model: Any, output: str) -> str:
    """XGBoost takes what a sparse matrix does not hold for missing, not for zero."""
    onnx = import_onnx()
    import numpy as np

    item = next(one for one in model.graph.output if one.name == output)
    kind = item.type.tensor_type.elem_type
    dtype = onnx.helper.tensor_dtype_to_np_dtype(kind)
    for name, value in (("sparse.zero", 0.0), ("sparse.missing", np.nan)):
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(value, dtype=dtype), name))
    model.graph.node.append(onnx.helper.make_node("Equal", [output, "sparse.zero"], ["sparse.is_zero"]))
    model.graph.node.append(
        onnx.helper.make_node("Where", ["sparse.is_zero", "sparse.missing", output], ["sparse.filled"])
    )
    item.name = "sparse.filled"
    return "sparse.filled"
