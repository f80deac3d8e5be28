"""scikit-learn's trees and forests, node by node: the leaves are added and divided as scikit-learn does.

Its trees round the features to float32 and compare them with thresholds of float64.
"""

from __future__ import annotations

from collections.abc import Callable
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
from kernel_tools.compiler.trees import INPUT, LESS_OR_EQUAL, Ensemble, Leaf, Split, ensemble_model
from kernel_tools.core.signature import Signature

_CLASSIFIERS = {"DecisionTreeClassifier", "ExtraTreeClassifier", "RandomForestClassifier", "ExtraTreesClassifier"}
_REGRESSORS = {"DecisionTreeRegressor", "ExtraTreeRegressor", "RandomForestRegressor", "ExtraTreesRegressor"}


class ForestSource:
    """Decision trees, random forests and extremely randomized trees of scikit-learn, with one target."""

    name = "scikit-learn-trees"

    def recognizes(self, model: object) -> bool:
        """See `ModelSource`."""
        kind = type(model)
        is_known = kind.__name__ in _CLASSIFIERS | _REGRESSORS and kind.__module__.startswith("sklearn.")
        return is_known and getattr(model, "n_outputs_", 1) == 1

    def conversions(self, model: Any, signature: Signature, sample: Any) -> list[Callable[[], Conversion]]:
        """See `ModelSource`."""
        return [lambda: convert_forest(model, signature)]

    def answer(self, model: Any, rows: Any) -> Answer:
        """See `ModelSource`."""
        return estimator_answer(model, rows)


def convert_forest(model: Any, signature: Signature) -> Conversion:
    """Return a tree or forest as a graph; UnsupportedModelError if it is not fitted or takes another width."""
    if not hasattr(model, "n_features_in_"):
        raise UnsupportedModelError(f"The {type(model).__name__} is not fitted: call fit before you compile it.")
    width = width_of(signature)
    if width != model.n_features_in_:
        raise UnsupportedModelError(f"The model takes {model.n_features_in_} columns, and the sample has {width}.")
    grown = [one.tree_ for one in model.estimators_] if hasattr(model, "estimators_") else [model.tree_]
    classes = plain_classes(model.classes_) if type(model).__name__ in _CLASSIFIERS else None
    ensemble = Ensemble(
        [read_tree(tree) for tree in grown],
        width,
        len(classes or [None]),
        dtype="float64",
        rounds_features=True,
        divisor=float(len(grown)),
        classes=len(classes or []),
    )
    feed = matrix_feed(INPUT, signature, "float32", coded=False)
    output = Output(name="probabilities", role="probabilities") if classes else Output(name="value", role="value")
    made = ensemble_model(ensemble)
    return Conversion(made, [feed], [output], classes, is_most_probable=classes is not None, precision="float64")


def read_tree(tree: Any) -> list[Split | Leaf]:
    """Return the nodes of scikit-learn's ``tree_``; a classifier's leaf holds the share of each class."""
    missing_left = getattr(tree, "missing_go_to_left", None)
    nodes: list[Split | Leaf] = []
    for node in range(tree.node_count):
        left, right = int(tree.children_left[node]), int(tree.children_right[node])
        if left == -1:
            values = tree.value[node][0]
            total = values.sum() if tree.n_classes[0] > 1 else 1.0
            nodes.append(Leaf([(target, float(value / total)) for target, value in enumerate(values)]))
        else:
            goes_left = bool(missing_left[node]) if missing_left is not None else False
            split = Split(int(tree.feature[node]), LESS_OR_EQUAL, float(tree.threshold[node]), left, right, goes_left)
            nodes.append(split)
    return nodes
