"""LightGBM's trees, read out of its own dump. It compares in float64, and so does the graph."""

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
from kernel_tools.compiler.trees import INPUT, LESS_OR_EQUAL, MEMBER, Ensemble, Leaf, Link, Split, ensemble_model
from kernel_tools.core.signature import Signature

_LINKS: dict[str, Link] = {
    "binary": "sigmoid",
    "multiclass": "softmax",
    "multiclassova": "sigmoid",
    "cross_entropy": "sigmoid",
    "poisson": "exp",
    "gamma": "exp",
    "tweedie": "exp",
    "regression": "identity",
    "regression_l1": "identity",
    "huber": "identity",
    "fair": "identity",
    "quantile": "identity",
    "mape": "identity",
    "lambdarank": "identity",
    "rank_xendcg": "identity",
}


class LightgbmSource:
    """Boosters, LightGBM's estimators, and what the registry reads of their text."""

    name = "lightgbm"

    def recognizes(self, model: object) -> bool:
        """See `ModelSource`."""
        return type(model).__module__.split(".")[0] == "lightgbm" or any(
            base.__module__ in ("lightgbm.sklearn", "kernel_tools.registry.formats.lightgbm")
            for base in type(model).__mro__
        )

    def conversions(self, model: Any, signature: Signature, sample: Any) -> list[Callable[[], Conversion]]:
        """See `ModelSource`."""
        return [lambda: convert_lightgbm(model, signature)]

    def answer(self, model: Any, rows: Any) -> Answer:
        """See `ModelSource`."""
        return estimator_answer(model, rows)


def convert_lightgbm(model: Any, signature: Signature) -> Conversion:
    """Return a model as a graph.

    Raises
    ------
    UnsupportedModelError
        If it has linear trees, zeros for missing values, an objective that is not known here, or categories that are
        not those of the signature.
    """
    booster = getattr(model, "booster_", model)
    dump = booster.dump_model()
    if signature.tensor is None and len(signature.columns) != dump["max_feature_idx"] + 1:
        raise UnsupportedModelError(
            f"The model takes {dump['max_feature_idx'] + 1} columns, and the sample has {len(signature.columns)}."
        )
    _check_categories(dump, signature)
    objective, options = _objective(dump)
    classes = plain_classes(model.classes_) if hasattr(model, "classes_") else None
    link = _LINKS.get(objective)
    if link is None:
        raise UnsupportedModelError(
            f"What the objective {objective!r} makes of its scores is not known here. Compile models of the objectives "
            f"{', '.join(sorted(_LINKS))}."
        )
    slope = float(options.get("sigmoid", 1.0)) if objective in ("binary", "multiclassova") else 1.0
    if "sqrt" in options:
        link = "square"
    targets = int(dump["num_tree_per_iteration"])
    trees = dump["tree_info"]
    ensemble = Ensemble(
        [read_tree(tree["tree_structure"], number % targets, slope) for number, tree in enumerate(trees)],
        width_of(signature),
        targets,
        dtype="float64",
        divisor=float(len(trees) // targets) if dump.get("average_output") else 1.0,
        link=link,
        classes=len(classes or []),
    )
    feed = matrix_feed(INPUT, signature, "float64")
    output = Output(name="probabilities", role="probabilities") if classes else Output(name="value", role="value")
    made = ensemble_model(ensemble)
    return Conversion(made, [feed], [output], classes, is_most_probable=classes is not None, precision="float64")


def read_tree(root: dict[str, Any], target: int, slope: float) -> list[Split | Leaf]:
    """Return the nodes of a tree; what is less or equal, or a category of the set, goes to the left."""
    nodes: list[Any] = []

    def add(item: dict[str, Any]) -> int:
        place = len(nodes)
        nodes.append(None)
        if "split_index" not in item:
            if "leaf_coeff" in item:
                raise UnsupportedModelError("The model has linear trees, whose leaves are no numbers (linear_tree).")
            nodes[place] = Leaf([(target, item["leaf_value"] * slope)])
            return place
        left, right = add(item["left_child"]), add(item["right_child"])
        nodes[place] = _split(item, left, right)
        return place

    add(root)
    return nodes


def _split(item: dict[str, Any], left: int, right: int) -> Split:
    feature, missing = item["split_feature"], item["missing_type"]
    if item["decision_type"] == "==":
        members = [float(category) for category in str(item["threshold"]).split("||")]
        return Split(feature, MEMBER, 0.0, left, right, missing_is_true=False, members=members)
    if missing == "Zero":
        raise UnsupportedModelError("The model takes zeros for missing: fit it with zero_as_missing=False.")
    threshold = float(item["threshold"])
    # Where the training data missed nothing, LightGBM takes NaN for zero.
    goes_left = bool(item["default_left"]) if missing == "NaN" else threshold >= 0.0
    return Split(feature, LESS_OR_EQUAL, threshold, left, right, goes_left)


def _objective(dump: dict[str, Any]) -> tuple[str, dict[str, str]]:
    words = str(dump.get("objective", "regression")).split()
    options = {word.partition(":")[0]: word.partition(":")[2] for word in words[1:]}
    return (words or ["regression"])[0], options


def _check_categories(dump: dict[str, Any], signature: Signature) -> None:
    known = dump.get("pandas_categorical") or []
    coded = [column for column in signature.columns if column.categories is not None]
    if len(known) != len(coded):
        raise UnsupportedModelError(
            f"The model was fitted with {len(known)} columns of categories, and the sample has {len(coded)}. Give a "
            "sample with the dtypes of the training data."
        )
    for column, categories in zip(coded, known, strict=True):
        if categories != column.categories:
            raise UnsupportedModelError(
                f"The categories of column {column.name!r} in the sample are not those of the model, in their order: "
                f"{str(column.categories)[:200]} against {str(categories)[:200]}. Give a sample with the dtype of the "
                "training data."
            )
