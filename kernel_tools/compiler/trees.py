"""Ensembles of trees, whatever library grew them, as one operator of ONNX (TreeEnsemble of ai.onnx.ml 5).

Thresholds keep the precision in which the library compares, so no row can fall to another side.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from kernel_tools.compiler.graphs import IR_VERSION, ML_OPSET, OPSET, import_onnx

if TYPE_CHECKING:
    import onnx

INPUT = "features"
LESS_OR_EQUAL, LESS, MEMBER = 0, 1, 6
Link = Literal["identity", "sigmoid", "softmax", "exp", "step", "square"]


@dataclass(frozen=True, slots=True)
class Split:
    """An inner node: what is asked, and where the rows go for which it is true, false or unknown.

    `true` and `false` are positions among the nodes of the tree. `members` are the categories that are true.
    """

    feature: int
    mode: int
    threshold: float
    true: int
    false: int
    missing_is_true: bool
    members: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class Leaf:
    """The weights that a tree adds to the targets."""

    weights: Sequence[tuple[int, float]]


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Trees whose leaves are added up.

    Parameters
    ----------
    trees
        For each tree its nodes, the root first.
    width
        Features.
    targets
        Scores that are added up.
    base
        What each score begins with.
    dtype
        ``float32`` or ``float64``: in which the features are compared and the leaves added.
    rounds_features
        Whether features are rounded to float32 before they are compared with thresholds of float64.
    divisor
        What the sums are divided by.
    link
        What makes predictions of the scores.
    classes
        How many classes the predictions are probabilities of; 0 for values. One score is that of the second of two.
    """

    trees: Sequence[Sequence[Split | Leaf]]
    width: int
    targets: int
    base: Sequence[float] = field(default_factory=list)
    dtype: str = "float32"
    rounds_features: bool = False
    divisor: float = 1.0
    link: Link = "identity"
    classes: int = 0


def ensemble_model(ensemble: Ensemble) -> onnx.ModelProto:
    """Return the graph: input `INPUT` (rows, width); output ``probabilities`` (rows, classes) or ``value``."""
    onnx = import_onnx()
    helper, dtype = onnx.helper, ensemble.dtype
    kind = onnx.TensorProto.DOUBLE if dtype == "float64" else onnx.TensorProto.FLOAT
    taken = onnx.TensorProto.FLOAT if ensemble.rounds_features else kind
    nodes, initializers = [], []

    def constant(name: str, values: Any) -> str:
        import numpy as np

        initializers.append(onnx.numpy_helper.from_array(np.asarray(values, dtype=dtype), name))
        return name

    features = INPUT
    if taken != kind:
        nodes.append(helper.make_node("Cast", [INPUT], ["rounded"], to=kind))
        features = "rounded"
    nodes.append(_node(ensemble, features))
    current = "sums"
    if ensemble.divisor != 1.0:
        nodes.append(helper.make_node("Div", [current, constant("divisor", [ensemble.divisor])], ["mean"]))
        current = "mean"
    if any(ensemble.base):
        nodes.append(helper.make_node("Add", [current, constant("base", [list(ensemble.base)])], ["scores"]))
        current = "scores"
    nodes += _linked(ensemble, current, constant)
    output = "probabilities" if ensemble.classes else "value"
    graph = helper.make_graph(
        nodes,
        "trees",
        [helper.make_tensor_value_info(INPUT, taken, [None, ensemble.width])],
        [helper.make_tensor_value_info(output, kind, [None, ensemble.classes or ensemble.targets])],
        initializers,
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
    )
    model.ir_version = IR_VERSION
    return model  # type: ignore[no-any-return]


def _linked(ensemble: Ensemble, current: str, constant: Any) -> list[Any]:
    helper = import_onnx().helper
    output = "probabilities" if ensemble.classes else "value"
    binary = ensemble.classes == 2 and ensemble.targets == 1
    linked = "positive" if binary else output
    link = ensemble.link
    if link == "softmax":
        return [helper.make_node("Softmax", [current], [output], axis=1)]
    if link == "square":
        nodes = [
            helper.make_node("Mul", [current, current], ["squared"]),
            helper.make_node("Sign", [current], ["sign"]),
            helper.make_node("Mul", ["squared", "sign"], [linked]),
        ]
    elif link == "step":
        nodes = [
            helper.make_node("Greater", [current, constant("zero", [0.0])], ["is_positive"]),
            helper.make_node("CastLike", ["is_positive", current], [linked]),
        ]
    else:
        operator = {"identity": "Identity", "sigmoid": "Sigmoid", "exp": "Exp"}[link]
        nodes = [helper.make_node(operator, [current], [linked])]
    if binary:
        nodes.append(helper.make_node("Sub", [constant("one", [1.0]), linked], ["negative"]))
        nodes.append(helper.make_node("Concat", ["negative", linked], [output], axis=1))
    return nodes


def _node(ensemble: Ensemble, features: str) -> Any:
    """The operator. Splits and leaves are numbered apart; a tree that is a single leaf becomes a split of two."""
    import numpy as np

    onnx = import_onnx()
    splits: list[Split] = []
    roots, members = [], []
    leaf_targets: list[int] = []
    leaf_weights: list[float] = []
    truths: list[tuple[int, int]] = []
    falsehoods: list[tuple[int, int]] = []
    for tree in ensemble.trees:
        for nodes in _single_targets(tree):
            nodes = nodes if isinstance(nodes[0], Split) else _stump(nodes[0])
            places: list[tuple[int, int]] = []
            for item in nodes:
                if isinstance(item, Split):
                    places.append((len(splits), 0))
                    splits.append(item)
                else:
                    places.append((len(leaf_weights), 1))
                    target, weight = item.weights[0] if item.weights else (0, 0.0)
                    leaf_targets.append(target)
                    leaf_weights.append(weight)
            roots.append(places[0][0])
            for item in nodes:
                if isinstance(item, Split):
                    truths.append(places[item.true])
                    falsehoods.append(places[item.false])
                    if item.mode == MEMBER:
                        members += [*item.members, math.nan]
    attributes: dict[str, Any] = {
        "n_targets": ensemble.targets,
        "aggregate_function": 1,
        "post_transform": 0,
        "tree_roots": roots,
        "nodes_featureids": [split.feature for split in splits],
        "nodes_splits": _tensor([split.threshold for split in splits], ensemble.dtype),
        "nodes_modes": onnx.numpy_helper.from_array(np.array([split.mode for split in splits], np.uint8)),
        "nodes_missing_value_tracks_true": [int(split.missing_is_true) for split in splits],
        "nodes_truenodeids": [place for place, _ in truths],
        "nodes_trueleafs": [is_leaf for _, is_leaf in truths],
        "nodes_falsenodeids": [place for place, _ in falsehoods],
        "nodes_falseleafs": [is_leaf for _, is_leaf in falsehoods],
        "leaf_targetids": leaf_targets,
        "leaf_weights": _tensor(leaf_weights, ensemble.dtype),
    }
    if members:
        attributes["membership_values"] = _tensor(members, ensemble.dtype)
    return onnx.helper.make_node("TreeEnsemble", [features], ["sums"], domain="ai.onnx.ml", **attributes)


def _tensor(values: Sequence[float], dtype: str) -> Any:
    import numpy as np

    return import_onnx().numpy_helper.from_array(np.array(values, dtype=dtype))


def _single_targets(tree: Sequence[Split | Leaf]) -> list[Sequence[Split | Leaf]]:
    """A leaf of the operator has one target: a tree with several is repeated for each."""
    targets = sorted({target for item in tree if isinstance(item, Leaf) for target, _ in item.weights})
    if len(targets) <= 1:
        return [tree]
    return [
        [Leaf([(target, dict(item.weights).get(target, 0.0))]) if isinstance(item, Leaf) else item for item in tree]
        for target in targets
    ]


def _stump(leaf: Any) -> Sequence[Split | Leaf]:
    return [Split(0, LESS_OR_EQUAL, 0.0, 1, 2, True), leaf, leaf]
