"""CatBoost's trees, by its own exporter, which writes no columns of categories."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kernel_tools.compiler.sources._base import (
    Answer,
    Conversion,
    UnsupportedModelError,
    estimator_answer,
    plain_classes,
)
from kernel_tools.compiler.sources.onnx import convert_onnx, read_graph
from kernel_tools.core.signature import Signature


class CatboostSource:
    """CatBoost's estimators."""

    name = "catboost"

    def recognizes(self, model: object) -> bool:
        """See `ModelSource`."""
        return any(base.__module__ == "catboost.core" for base in type(model).__mro__)

    def conversions(self, model: Any, signature: Signature, sample: Any) -> list[Callable[[], Conversion]]:
        """See `ModelSource`."""
        return [lambda: _convert(model, signature)]

    def answer(self, model: Any, rows: Any) -> Answer:
        """See `ModelSource`."""
        answer = estimator_answer(model, rows)
        predictions = answer["predictions"]
        return {**answer, "predictions": predictions.ravel() if predictions.ndim == 2 else predictions}


def _convert(model: Any, signature: Signature) -> Conversion:
    if model.get_cat_feature_indices() or model.get_text_feature_indices():
        raise UnsupportedModelError(
            "CatBoost writes no ONNX for models with columns of categories or texts: encode them before the model, in "
            "a pipeline or a recipe."
        )
    with tempfile.TemporaryDirectory(prefix="atelier-compile-") as folder:
        path = Path(folder) / "model.onnx"
        model.save_model(str(path), format="onnx")
        conversion = convert_onnx(read_graph(path), signature)
    classes = plain_classes(model.classes_) if len(getattr(model, "classes_", [])) else None
    return Conversion(conversion.model, conversion.feeds, conversion.outputs, classes)
