"""scikit-learn's gradient boosting, with trees of doubles and with histograms, node by node.

The trees of the first round the features to float32 as all of its trees do; histograms compare doubles.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kernel_tools.compiler.manifest import Output
from kernel_tools.compiler.sources._base import (
    Answer,
    Conversion,
    UnsupportedModelError,
    estimator_answer,
    matrix_feed,
    plain_classes,
    width_of,
)
from kernel_tools.compiler.sources.forests import read_tree
from kernel_tools.compiler.trees import INPUT, LESS_OR_EQUAL, Ensemble, Leaf, Link, Split, ensemble_model
from kernel_tools.core.signature import Signature

_LINKS: dict[str, Link] = {"IdentityLink": "identity", "LogLink": "exp", "LogitLink": "sigmoid"}


class GradientBoostingSource:
    """GradientBoostingClassifier and -Regressor that begin with a constant."""

    name = "scikit-learn-boosting"

    def recognizes(self, model: object) -> bool:
        """See `ModelSource`."""
        is_known = type(model).__name__ in ("GradientBoostingClassifier", "GradientBoostingRegressor")
        start = type(getattr(model, "init_", None)).__name__
        return (
            is_known
            and type(model).__module__.startswith("sklearn.")
            and start in ("DummyClassifier", "DummyRegressor", "str")
        )

    def conversions(self, model: Any, signature: Signature, sample: Any) -> list[Callable[[], Conversion]]:
        """See `ModelSource`."""
        return [lambda: _convert_boosting(model, signature)]

    def answer(self, model: Any, rows: Any) -> Answer:
        """See `ModelSource`."""
        return estimator_answer(model, rows)


class HistogramSource:
    """HistGradientBoostingClassifier and -Regressor of numbers."""

    name = "scikit-learn-histograms"

    def recognizes(self, model: object) -> bool:
        """See `ModelSource`."""
        is_known = type(model).__name__ in ("HistGradientBoostingClassifier", "HistGradientBoostingRegressor")
        return is_known and hasattr(model, "_predictors")

    def conversions(self, model: Any, signature: Signature, sample: Any) -> list[Callable[[], Conversion]]:
        """See `ModelSource`."""
        return [lambda: _convert_histograms(model, signature)]

    def answer(self, model: Any, rows: Any) -> Answer:
        """See `ModelSource`."""
        return estimator_answer(model, rows)


def _convert_boosting(model: Any, signature: Signature) -> Conversion:
    import numpy as np

    width = width_of(signature)
    base = model._raw_predict_init(np.zeros((1, width), dtype=np.float32))[0]
    rate = model.learning_rate
    trees = [
        [_scaled(item, target, rate) for item in read_tree(tree.tree_)]
        for stage in model.estimators_
        for target, tree in enumerate(stage)
    ]
    return _conversion(model, signature, trees, base, rounds=True)


def _scaled(item: Split | Leaf, target: int, rate: float) -> Split | Leaf:
    return item if isinstance(item, Split) else Leaf([(target, item.weights[0][1] * rate)])


def _convert_histograms(model: Any, signature: Signature) -> Conversion:
    if getattr(model, "_preprocessor", None) is not None or getattr(model, "is_categorical_", None) is not None:
        raise UnsupportedModelError(
            f"{type(model).__name__} with categories (categorical_features) cannot be compiled: encode them before the "
            "model, in a pipeline or a recipe."
        )
    trees = [
        _histogram_tree(predictor.nodes, target)
        for stage in model._predictors
        for target, predictor in enumerate(stage)
    ]
    return _conversion(model, signature, trees, model._baseline_prediction.ravel(), rounds=False)


def _histogram_tree(nodes: Any, target: int) -> list[Split | Leaf]:
    """Return the nodes of a predictor of scikit-learn's histograms; what is less or equal goes to the left."""
    return [
        Leaf([(target, float(node["value"]))])
        if node["is_leaf"]
        else Split(
            int(node["feature_idx"]),
            LESS_OR_EQUAL,
            float(node["num_threshold"]),
            int(node["left"]),
            int(node["right"]),
            bool(node["missing_go_to_left"]),
        )
        for node in nodes
    ]


def _conversion(
    model: Any, signature: Signature, trees: Sequence[Sequence[Split | Leaf]], base: Any, *, rounds: bool
) -> Conversion:
    classes = plain_classes(model.classes_) if hasattr(model, "classes_") else None
    loss = model._loss
    width = width_of(signature)
    if type(loss).__name__ == "ExponentialLoss":
        raise UnsupportedModelError("Gradient boosting with loss='exponential' cannot be compiled: use 'log_loss'.")
    link = "softmax" if classes and len(classes) > 2 else _LINKS.get(type(loss.link).__name__)
    if link is None:
        raise UnsupportedModelError(f"What the loss {type(loss).__name__} makes of its scores is not known here.")
    if width != model.n_features_in_:
        raise UnsupportedModelError(f"The model takes {model.n_features_in_} columns, and the sample has {width}.")
    ensemble = Ensemble(
        trees,
        width,
        len(base),
        [float(value) for value in base],
        dtype="float64",
        rounds_features=rounds,
        link=link,
        classes=len(classes or []),
    )
    feed = matrix_feed(INPUT, signature, "float32" if rounds else "float64", coded=False)
    output = Output(name="probabilities", role="probabilities") if classes else Output(name="value", role="value")
    made = ensemble_model(ensemble)
    return Conversion(made, [feed], [output], classes, is_most_probable=classes is not None, precision="float64")
