"""The shape of trees, read from what XGBoost and LightGBM tell of one round."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kernel_tools.debugger.rounds import RoundRecorder

if TYPE_CHECKING:
    import xgboost

MOST_FEATURES = 256
"""Features whose importance is kept; those of the others are added up."""
OTHERS = "(others)"
_MOST_TREES = 64


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree: its depth (0 for a single leaf), leaves, largest node number, values of leaves, gains of splits."""

    depth: int
    leaves: int
    largest_node: int
    values: np.ndarray[Any, Any]
    gains: np.ndarray[Any, Any]


def xgboost_trees(booster: xgboost.Booster) -> list[Tree]:
    """Return the trees of the newest round; of very many (classes, parallel trees) the first."""
    last = booster.num_boosted_rounds() - 1
    raw = booster[last : last + 1].save_raw("json")
    model = json.loads(bytes(raw))["learner"]["gradient_booster"]
    model = model.get("gbtree", model)["model"]
    return [_xgboost_tree(tree) for tree in model["trees"][:_MOST_TREES]]


def _xgboost_tree(tree: Mapping[str, Any]) -> Tree:
    left, right = np.array(tree["left_children"]), np.array(tree["right_children"])
    values, gains = np.array(tree["split_conditions"], "f8"), np.array(tree["loss_changes"], "f8")
    level, depth, largest = np.zeros(1, "i8"), -1, 0
    leaves: list[np.ndarray[Any, Any]] = []
    splits: list[np.ndarray[Any, Any]] = []
    while len(level):
        depth, largest = depth + 1, max(largest, int(level.max()))
        is_split = left[level] >= 0
        leaves.append(level[~is_split])
        splits.append(level[is_split])
        level = np.concatenate([left[level[is_split]], right[level[is_split]]])
    ends, inner = np.concatenate(leaves), np.concatenate(splits)
    return Tree(depth, len(ends), largest, values[ends] if len(values) == len(left) else np.empty(0), gains[inner])


def lightgbm_trees(booster: Any, iteration: int) -> list[Tree]:
    """Return the trees of a round of a `lightgbm.Booster`."""
    model = booster.dump_model(num_iteration=1, start_iteration=iteration)
    return [_lightgbm_tree(tree["tree_structure"]) for tree in model["tree_info"][:_MOST_TREES]]


def _lightgbm_tree(root: Mapping[str, Any]) -> Tree:
    values: list[float] = []
    gains: list[float] = []
    level, depth = [root], -1
    while level:
        depth += 1
        values += [node["leaf_value"] for node in level if "leaf_value" in node]
        gains += [node["split_gain"] for node in level if "split_gain" in node]
        level = [node[side] for node in level for side in ("left_child", "right_child") if side in node]
    return Tree(depth, len(values), len(values) + len(gains) - 1, np.array(values), np.array(gains))


def save_trees(recorder: RoundRecorder, trees: Sequence[Tree]) -> None:
    """Keep the shape of a round's trees: the deepest, the leaves of one on average, the largest node number."""
    if not trees:
        return
    recorder.add_scalar("trees/depth", ("trees",), max(tree.depth for tree in trees))
    recorder.add_scalar("trees/leaves", ("trees",), sum(tree.leaves for tree in trees) / len(trees))
    recorder.add_scalar("trees/largest_node", ("trees",), max(tree.largest_node for tree in trees))
    recorder.add_values("trees/leaf_values", ("trees",), np.concatenate([tree.values for tree in trees]))
    gains = np.concatenate([tree.gains for tree in trees])
    if len(gains):
        recorder.add_values("trees/gains", ("trees",), gains)


def save_importance(recorder: RoundRecorder, kind: str, scores: Mapping[str, float]) -> None:
    """Keep the importance of every feature that has any, as ``feature_importance/<kind>/<feature>``."""
    ranked = sorted(scores.items(), key=lambda item: -item[1])
    kept = [item for item in ranked[:MOST_FEATURES] if item[1] > 0]
    rest = sum(value for _, value in ranked[MOST_FEATURES:])
    for feature, value in [*kept, *([(OTHERS, rest)] if rest else [])]:
        recorder.add_scalar(f"feature_importance/{kind}/{feature}", ("feature_importance",), value)
