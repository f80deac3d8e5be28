"""From checked rows to a reply: how each kind of model is called, without asking it for the same thing twice."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from kernel_tools.core.errors import AtelierError, InvalidArgumentError
from kernel_tools.core.forms import InputReader
from kernel_tools.core.workspace import Workspace
from kernel_tools.hosting.configuration import ProductionVariant
from kernel_tools.hosting.engines.script import ScriptEngine
from kernel_tools.hosting.engines.xgboost_calls import (
    ModelCall,
    booster_call,
    coded_call,
    estimator_call,
    matrix_reader,
)
from kernel_tools.hosting.wire.errors import ModelError
from kernel_tools.hosting.wire.replies import plain_values
from kernel_tools.registry.formats import load_model
from kernel_tools.registry.formats.inference_script import InferenceScript
from kernel_tools.registry.formats.lightgbm import LightgbmClassifier
from kernel_tools.registry.formats.onnx import OnnxClassifier
from kernel_tools.registry.records import VersionRecord

_log = logging.getLogger(__name__)

_LABEL_IS_MOST_PROBABLE = {
    "DecisionTreeClassifier",
    "ExtraTreeClassifier",
    "RandomForestClassifier",
    "ExtraTreesClassifier",
    "BaggingClassifier",
}
"""scikit-learn's classifiers whose predict is by definition the first class of highest probability. Others decide on
a margin that rounding can put on the other side of one half, so they are asked for both."""


class FrameworkEngine:
    """A model in the library that it was made with, together with the reader of its inputs.

    Parameters
    ----------
    version
        The version that the model was loaded from; its signature is what requests are checked against.
    model
        The model.
    before
        The models that prepare its rows, in their order, with their versions: an inference pipeline. The first one's
        signature is what requests are checked against then.
    """

    def __init__(self, version: VersionRecord, model: Any, before: Sequence[tuple[VersionRecord, Any]] = ()) -> None:
        self.is_quick = False
        self.signature = before[0][0].signature if before else version.signature
        self._inputs = InputReader(self.signature)
        self._steps = [choose_step(step) for _, step in before]
        self.read: Callable[[Any], Any] = self._inputs.read
        quick = None if before else quick_xgboost(model, version)
        if quick is not None:
            self.read, self._call = quick
            self.is_quick = True
        else:
            self._call = choose_call(model, version)

    def read_table(self, table: Any) -> Any:
        """See `Engine`."""
        return table

    def predict(self, rows: Any) -> dict[str, Any]:
        """See `Engine`."""
        try:
            for step in self._steps:
                rows = step(rows)
            return self._call(rows)
        except AtelierError:
            raise
        except Exception as error:
            _log.exception("The model failed")
            text = str(error).strip()
            raise ModelError(f"The model raised {type(error).__name__}{': ' if text else ''}{text[:2000]}") from error

    def close(self) -> None:
        """Nothing runs beside."""


def open_framework_engine(
    workspace: Workspace, variant: ProductionVariant, timeout: float
) -> FrameworkEngine | ScriptEngine:
    """Load a variant's models in their own libraries; a folder with `inference.py` in a process of its own.

    Raises
    ------
    InvalidArgumentError
        If a model cannot answer requests, or a folder with code stands in a pipeline.
    """
    models: list[Any] = [load_model(version, workspace.artifacts, trust=variant.trust) for version in variant.versions]
    if any(isinstance(model, InferenceScript) for model in models):
        if len(models) > 1:
            raise InvalidArgumentError("A folder with inference.py cannot stand in a pipeline: deploy it alone.")
        return ScriptEngine(models[0].folder, workspace, timeout, keep=models[0])
    return FrameworkEngine(variant.version, models[-1], list(zip(variant.before, models, strict=False)))


def choose_step(model: Any) -> Callable[[Any], Any]:
    """Return how a model prepares rows for the next one: by its `transform`, else its `predict`.

    Raises
    ------
    InvalidArgumentError
        If it has neither.
    """
    for method in ("transform", "predict"):
        if hasattr(model, method):
            return getattr(model, method)  # type: ignore[no-any-return]  # a method of somebody's class
    raise InvalidArgumentError(
        f"A {type(model).__name__} cannot stand in a pipeline: it has neither transform nor predict."
    )


def choose_call(model: Any, version: VersionRecord) -> ModelCall:
    """Return how to call a model.

    Raises
    ------
    InvalidArgumentError
        If there is no way, as for a dictionary of weights.
    """
    package, name = type(model).__module__.split(".")[0], type(model).__name__
    if package == "xgboost":
        return booster_call(model) if name == "Booster" else estimator_call(model)
    if any(base.__module__ == "torch.nn.modules.module" for base in type(model).__mro__):
        return _torch_call(model)
    if isinstance(model, OnnxClassifier):
        return _onnx_call(model, version)
    if isinstance(model, LightgbmClassifier):
        return _most_probable_call(model)
    if hasattr(model, "predict_proba"):
        if package == "sklearn" and name in _LABEL_IS_MOST_PROBABLE and getattr(model, "n_outputs_", 1) == 1:
            return _most_probable_call(model)
        return _classifier_call(model)
    if hasattr(model, "predict"):
        return lambda rows: {"predictions": model.predict(rows)}
    if hasattr(model, "transform"):
        return lambda rows: {"predictions": _records(model.transform(rows))}
    raise InvalidArgumentError(
        f"A {type(model).__name__} cannot answer requests: it has no predict method. "
        "Weights alone are no model; register the estimator or the torch module with sample_input=."
    )


def quick_xgboost(model: Any, version: VersionRecord) -> tuple[Callable[[Any], Any], ModelCall] | None:
    """Return the fast way to read rows for one of XGBoost's estimators and to call it.

    None if there is none, or it does not give the same reply as the slow one on the version's own sample rows.
    """
    is_estimator = type(model).__module__.startswith("xgboost.") and type(model).__name__ != "Booster"
    if not is_estimator or version.signature is None or not version.sample:
        return None
    call = coded_call(model, version.signature)
    if call is None:
        return None
    body = {"dataframe_records": version.sample}
    try:
        read = matrix_reader(version.signature)
        expected = estimator_call(model)(InputReader(version.signature).read(body))
        given = call(read(body))
    except AtelierError:
        return None
    same = all(plain_values(given[key]) == plain_values(expected[key]) for key in expected)
    return (read, call) if same else None


def _most_probable_call(model: Any) -> ModelCall:
    def call(rows: Any) -> dict[str, Any]:
        probabilities = model.predict_proba(rows)
        labels = model.classes_.take(probabilities.argmax(axis=1))
        return {"predictions": labels, "probabilities": probabilities, "classes": model.classes_}

    return call


def _classifier_call(model: Any) -> ModelCall:
    def call(rows: Any) -> dict[str, Any]:
        predictions = model.predict(rows)
        probabilities = model.predict_proba(rows)
        if isinstance(probabilities, list) or not hasattr(model, "classes_"):
            return {"predictions": predictions}
        return {"predictions": predictions, "probabilities": probabilities, "classes": model.classes_}

    return call


def _onnx_call(model: OnnxClassifier, version: VersionRecord) -> ModelCall:
    """One run of the graph gives labels and probabilities; classes that it does not name are those of the version."""

    def call(rows: Any) -> dict[str, Any]:
        labels, output = model.run(rows)[:2]
        probabilities, classes = model.read_probabilities(output)
        if classes is None and version.signature is not None:
            classes = version.signature.classes
        reply = {"predictions": labels, "probabilities": probabilities}
        return reply if classes is None else {**reply, "classes": classes}

    return call


def _torch_call(module: Any) -> ModelCall:
    def call(rows: Any) -> dict[str, Any]:
        import torch

        values = rows.to_numpy() if hasattr(rows, "to_numpy") else rows
        with torch.inference_mode():
            return {"predictions": module(torch.as_tensor(values))}

    return call


def _records(table: Any) -> Any:
    """A table as a list of rows; an array as it is."""
    return table.to_dict("records") if hasattr(table, "to_dict") else table
