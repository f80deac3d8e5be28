"""Sources of models: one module for each kind of model, which knows how it becomes a graph.

A kind that another room or package brings is provided at the seam `SEAM` (`kernel_tools.core.seams.provide`); the ones
provided there are asked first.
"""

from __future__ import annotations

from typing import Any

from kernel_tools.compiler.sources._base import Answer, Conversion, ModelSource, UnsupportedModelError
from kernel_tools.compiler.sources.boosted import GradientBoostingSource, HistogramSource
from kernel_tools.compiler.sources.catboost import CatboostSource
from kernel_tools.compiler.sources.forests import ForestSource
from kernel_tools.compiler.sources.lightgbm import LightgbmSource
from kernel_tools.compiler.sources.onnx import OnnxSource
from kernel_tools.compiler.sources.pipelines import PipelineSource
from kernel_tools.compiler.sources.recipes import RecipeModelSource, RecipeSource
from kernel_tools.compiler.sources.scikit_learn import ScikitLearnSource
from kernel_tools.compiler.sources.torch import TorchSource
from kernel_tools.compiler.sources.xgboost import XgboostSource
from kernel_tools.core.seams import providers

__all__ = ["SEAM", "Answer", "Conversion", "ModelSource", "UnsupportedModelError", "find_source"]

SEAM = "compiler_sources"

_SOURCES: tuple[ModelSource, ...] = (
    RecipeModelSource(),
    RecipeSource(),
    XgboostSource(),
    LightgbmSource(),
    CatboostSource(),
    OnnxSource(),
    TorchSource(),
    ForestSource(),
    GradientBoostingSource(),
    HistogramSource(),
    PipelineSource(),
    ScikitLearnSource(),
)


def find_source(model: Any) -> ModelSource:
    """Return the source that knows a kind of model.

    Raises
    ------
    UnsupportedModelError
        If none does.
    """
    for source in (*providers(SEAM).values(), *_SOURCES):
        if source.recognizes(model):
            return source  # type: ignore[no-any-return]  # providers may be anything
    kind = f"{type(model).__module__}.{type(model).__qualname__}"
    raise UnsupportedModelError(
        f"A {kind} cannot be compiled. Atelier compiles XGBoost, LightGBM and CatBoost models, scikit-learn's "
        "estimators and pipelines, torch modules, fitted recipes, (recipe, model) and ONNX models."
    )
