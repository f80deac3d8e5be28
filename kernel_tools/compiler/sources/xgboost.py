"""XGBoost's trees, read out of its own JSON: thresholds are float32 there, so that nothing is rounded.

The format is described at https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html.
"""

from __future__ import annotations

import json
import math
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
from kernel_tools.compiler.trees import INPUT, LESS, MEMBER, Ensemble, Leaf, Link, Split, ensemble_model
from kernel_tools.core.signature import Signature

_LINKS: dict[str, Link] = {
    "binary:logistic": "sigmoid",
    "reg:logistic": "sigmoid",
    "binary:logitraw": "identity",
    "binary:hinge": "step",
    "multi:softprob": "softmax",
    "multi:softmax": "softmax",
    "count:poisson": "exp",
    "reg:gamma": "exp",
    "reg:tweedie": "exp",
    "survival:cox": "exp",
    "survival:aft": "exp",
    "reg:squarederror": "identity",
    "reg:squaredlogerror": "identity",
    "reg:absoluteerror": "identity",
    "reg:pseudohubererror": "identity",
    "reg:quantileerror": "identity",
    "rank:pairwise": "identity",
    "rank:ndcg": "identity",
    "rank:map": "identity",
}


class XgboostSource:
    """Boosters of trees and XGBoost's estimators, with categories (``enable_categorical``) and missing values."""

    name = "xgboost"

    def recognizes(self, model: object) -> bool:
        """See `ModelSource`."""
        return type(model).__module__.split(".")[0] == "xgboost" or any(
            base.__module__ == "xgboost.sklearn" for base in type(model).__mro__
        )

    def conversions(self, model: Any, signature: Signature, sample: Any) -> list[Callable[[], Conversion]]:
        """See `ModelSource`."""
        return [lambda: convert_xgboost(model, signature)]

    def answer(self, model: Any, rows: Any) -> Answer:
        """See `ModelSource`."""
        if hasattr(model, "get_booster"):
            return estimator_answer(model, rows)
        import xgboost

        return {"predictions": model.predict(xgboost.DMatrix(rows, enable_categorical=True))}


def convert_xgboost(model: Any, signature: Signature) -> Conversion:
    """Return a model of trees as a graph.

    Raises
    ------
    UnsupportedModelError
        If it is no model of trees, has vectors in its leaves, an objective that is not known here, categories that are
        not those of the signature, or another mark of missing values than NaN.
    """
    is_estimator = hasattr(model, "get_booster")
    booster = model.get_booster() if is_estimator else model
    missing = getattr(model, "missing", None)
    if missing is not None and not math.isnan(missing):
        raise UnsupportedModelError(
            f"The model takes {missing!r} for missing; a graph takes NaN. Fit it with missing=numpy.nan."
        )
    learner = json.loads(booster.save_raw("json"))["learner"]
    names = booster.feature_names if signature.tensor is None else None
    if names is not None and signature.tensor is None and not set(names) <= {c.name for c in signature.columns}:
        names = None  # it was trained on an array
    _check_categories(booster, signature, names)
    feed = matrix_feed(INPUT, signature, "float32", names)
    classes = plain_classes(model.classes_) if is_estimator and hasattr(model, "classes_") else None
    if hasattr(model, "classes_") and getattr(model, "n_classes_", 2) != len(classes or []):
        raise UnsupportedModelError("The model gives several labels for one row, which a package has no place for.")
    ensemble = read_ensemble(model, booster, learner, len(names) if names else width_of(signature), len(classes or []))
    output = Output(name="probabilities", role="probabilities") if classes else Output(name="value", role="value")
    return Conversion(ensemble_model(ensemble), [feed], [output], classes, is_most_probable=classes is not None)


def read_ensemble(model: Any, booster: Any, learner: dict[str, Any], width: int, classes: int) -> Ensemble:
    """Return the trees of a model."""
    objective = learner["objective"]["name"]
    link = _LINKS.get(objective)
    if link is None or (classes and objective not in ("binary:logistic", "multi:softprob", "multi:softmax")):
        raise UnsupportedModelError(
            f"What the objective {objective!r} makes of its scores is not known here. Compile models of the objectives "
            f"{', '.join(sorted(_LINKS))}."
        )
    boosting = learner["gradient_booster"]
    if boosting["name"] not in ("gbtree", "dart"):
        raise UnsupportedModelError(f"XGBoost's {boosting['name']} is no model of trees, and only those are compiled.")
    weights: list[float] | None = None
    if boosting["name"] == "dart":
        weights = boosting["weight_drop"]
        boosting = boosting["gbtree"]
    parameters = learner["learner_model_param"]
    if int(parameters.get("num_target", "1")) > 1 and any(
        int(tree["tree_param"].get("size_leaf_vector", "1")) > 1 for tree in boosting["model"]["trees"]
    ):
        raise UnsupportedModelError(
            "The trees have vectors in their leaves: fit the model with multi_strategy='one_output_per_tree'."
        )
    groups = max(int(parameters.get("num_class", "0")), int(parameters.get("num_target", "1")), 1)
    base = [_margin(link, value) for value in _base_scores(parameters["base_score"])]
    trees = boosting["model"]["trees"]
    info = boosting["model"]["tree_info"]
    last = _last_tree(model, booster, boosting["model"])
    return Ensemble(
        [
            read_tree(tree, group, weights[number] if weights else 1.0)
            for number, (tree, group) in enumerate(zip(trees[:last], info[:last], strict=True))
        ],
        width,
        groups,
        base * (groups if len(base) == 1 else 1),
        link=link if objective != "multi:softmax" or classes else "identity",
        classes=classes,
    )


def read_tree(tree: dict[str, Any], group: int, weight: float) -> list[Split | Leaf]:
    """Return the nodes of a tree; a category of a split's set goes to the right, and so does what is not less."""
    sets = {
        node: [float(category) for category in tree["categories"][start : start + size]]
        for node, start, size in zip(
            tree["categories_nodes"], tree["categories_segments"], tree["categories_sizes"], strict=True
        )
    }
    nodes: list[Split | Leaf] = []
    for node, (left, right, feature, condition, default_left) in enumerate(
        zip(
            tree["left_children"],
            tree["right_children"],
            tree["split_indices"],
            tree["split_conditions"],
            tree["default_left"],
            strict=True,
        )
    ):
        if left == -1:
            nodes.append(Leaf([(group, condition * weight)]))
        elif node in sets:
            nodes.append(Split(feature, MEMBER, 0.0, right, left, not default_left, sets[node]))
        else:
            nodes.append(Split(feature, LESS, condition, left, right, bool(default_left)))
    return nodes


def _base_scores(text: str) -> list[float]:
    """XGBoost 3 writes a list, earlier ones a number."""
    found = json.loads(text)
    return [float(item) for item in found] if isinstance(found, list) else [float(found)]


def _margin(link: Link, value: float) -> float:
    if link == "sigmoid":
        return math.log(value / (1.0 - value))
    return math.log(value) if link == "exp" else value


def _last_tree(model: Any, booster: Any, parameters: dict[str, Any]) -> int:
    """The estimators stop at the best round of an early stop; a Booster uses all its trees."""
    total = len(parameters["trees"])
    best = booster.attr("best_iteration")
    if best is None or not hasattr(model, "get_booster"):
        return total
    rounds = parameters.get("iteration_indptr")
    return int(rounds[int(best) + 1]) if rounds else total


def _check_categories(booster: Any, signature: Signature, names: list[str] | None) -> None:
    kinds = booster.feature_types or []
    columns = {column.name: column for column in signature.columns}
    for name, kind in zip(names or booster.feature_names or [], kinds, strict=False):
        if kind == "c" and (name not in columns or columns[name].categories is None):
            raise UnsupportedModelError(
                f"The model has the categories of column {name!r}, and the sample has none there. Give a sample with "
                "the dtype 'category' and the categories of the training data."
            )
    coded = [column for column in signature.columns if column.categories is not None]
    if not coded:
        return
    try:
        given = booster.get_categories(export_to_arrow=True).to_arrow() or []
    except (AttributeError, ValueError):  # an older XGBoost, or a model that an older one wrote
        given = []
    known = {name: None if values is None else values.to_pylist() for name, values in given}
    for column in coded:
        if known.get(column.name) is None:
            if "c" not in kinds:
                raise UnsupportedModelError(
                    f"Column {column.name!r} of the sample is a category, and the model was not fitted with it. Fit "
                    "with enable_categorical=True, or give the sample as the model was given its data."
                )
            continue
        if known[column.name] != column.categories:
            raise UnsupportedModelError(
                f"The categories of column {column.name!r} in the sample are not those of the model, in their order: "
                f"{str(column.categories)[:200]} against {str(known[column.name])[:200]}. Give a sample with the dtype "
                "of the training data."
            )
