"""From checked rows to a reply: how each kind of model is called, without asking it for the same thing twice."""

from __future__ import annotations

import logging
from typing import Any

from kernel_tools.core.errors import AtelierError, InvalidArgumentError
from kernel_tools.core.forms import InputReader
from kernel_tools.hosting.wire import ModelError
from kernel_tools.hosting.xgboost_calls import ModelCall, booster_call, coded_call, estimator_call
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


class Predictor:
    """A loaded model together with the reader of its inputs.

    Parameters
    ----------
    version
        The version that the model was loaded from; its signature is what requests are checked against.
    model
        The model.
    """

    def __init__(self, version: VersionRecord, model: Any) -> None:
        self._inputs = InputReader(version.signature)
        self._call = choose_call(model, version)

    def predict(self, body: Any) -> dict[str, Any]:
        """Answer a request: ``predictions``, and for a classifier ``probabilities`` and ``classes``.

        Raises
        ------
        InvalidArgumentError, InvalidDataError
            If the body does not fit the model's signature.
        ModelError
            If the model itself raises.
        """
        rows = self._inputs.read(body)
        try:
            reply = self._call(rows)
            return {name: _plain(values) for name, values in reply.items()}
        except AtelierError:
            raise
        except Exception as error:
            _log.exception("The model failed")
            text = str(error).strip()
            raise ModelError(f"The model raised {type(error).__name__}{': ' if text else ''}{text[:2000]}") from error

    def warm_up(self, sample: list[Any]) -> None:
        """Answer a request before the first client does, so that lazy set-up in the libraries is done."""
        if sample:
            form = "dataframe_records" if isinstance(sample[0], dict) else "instances"
            try:
                self.predict({form: sample[:1]})
            except AtelierError as error:
                _log.warning("The sample row of the model version is refused: %s", error)


def choose_call(model: Any, version: VersionRecord) -> ModelCall:
    """Return how to call a model.

    Raises
    ------
    InvalidArgumentError
        If there is no way, as for a dictionary of weights.
    """
    package, name = type(model).__module__.split(".")[0], type(model).__name__
    if package == "xgboost":
        return booster_call(model) if name == "Booster" else _xgboost_call(model, version)
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
    raise InvalidArgumentError(
        f"A {type(model).__name__} cannot answer requests: it has no predict method. "
        "Weights alone are no model; register the estimator or the torch module with sample_input=."
    )


def _xgboost_call(model: Any, version: VersionRecord) -> ModelCall:
    """The fast way if it exists and gives the same reply as the slow one on the version's own sample rows."""
    slow, fast = estimator_call(model), coded_call(model, version.signature)
    if fast is None or version.signature is None or not version.sample:
        return fast or slow
    try:
        rows = InputReader(version.signature).read({"dataframe_records": version.sample})
    except AtelierError:
        return slow
    expected, given = slow(rows), fast(rows)
    return fast if all(_plain(given[key]) == _plain(expected[key]) for key in expected) else slow


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


def _plain(values: Any) -> Any:
    """Lists of Python values, which JSON writes so that they are read back exactly."""
    if isinstance(values, tuple | list):
        return [_plain(item) for item in values]
    if isinstance(values, dict):
        return {str(name): _plain(item) for name, item in values.items()}
    if hasattr(values, "to_numpy"):
        values = values.to_numpy()
    if getattr(getattr(values, "dtype", None), "kind", None) in ("M", "m"):
        values = values.astype(str)
    return values.tolist() if hasattr(values, "tolist") else values
