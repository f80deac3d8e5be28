"""The built-in rules, one file for each family, and the ones that watch by default."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import Any

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.debugger.rules.base import Rule

RULES: dict[str, str] = {
    "AllZero": "rules.tensors",
    "BatchNormDrift": "rules.batch_norm",
    "BatchSize": "profiling.rules.machine",
    "CPUBottleneck": "profiling.rules.machine",
    "CheckInputImages": "rules.inputs",
    "ClassImbalance": "rules.classes",
    "Confusion": "rules.classes",
    "CreateXgboostReport": "rules.trees",
    "DataLeak": "rules.labels",
    "Dataloader": "profiling.rules.machine",
    "DeadRelu": "rules.activations",
    "ExplodingGradient": "rules.divergence",
    "ExplodingTensor": "rules.tensors",
    "FeatureImportanceOverweight": "rules.trees",
    "GPUMemoryIncrease": "profiling.rules.machine",
    "IOBottleneck": "profiling.rules.machine",
    "LabelNoise": "rules.labels",
    "LearningRateTooHigh": "rules.learning_rate",
    "LearningRateTooLow": "rules.learning_rate",
    "LoadBalancing": "profiling.rules.machine",
    "LossNotDecreasing": "rules.losses",
    "LowGPUUtilization": "profiling.rules.machine",
    "MaxInitializationTime": "profiling.rules.step_times",
    "NLPSequenceRatio": "rules.inputs",
    "NaNLoss": "rules.divergence",
    "OverallFrameworkMetrics": "profiling.rules.step_times",
    "OverallSystemUsage": "profiling.rules.machine",
    "Overfit": "rules.losses",
    "Overtraining": "rules.losses",
    "PoorWeightInitialization": "rules.initialization",
    "SaturatedActivation": "rules.activations",
    "SimilarAcrossRuns": "rules.runs",
    "StalledTraining": "rules.runs",
    "StepOutlier": "profiling.rules.step_times",
    "TensorVariance": "rules.tensors",
    "TreeDepth": "rules.trees",
    "UnchangedTensor": "rules.tensors",
    "VanishingGradient": "rules.gradients",
    "WeightUpdateRatio": "rules.gradients",
}
"""The module of every built-in rule below `kernel_tools.debugger`, by the rule's name."""
ALIASES = {"StalledTrainingRule": "StalledTraining"}
"""What the original calls rules that have another name here."""
DEFAULT: tuple[str | tuple[str, dict[str, Any]], ...] = (
    ("AllZero", {"tensor_regex": [r"(^|[./])input_0$"]}),
    "BatchNormDrift",
    "BatchSize",
    "CheckInputImages",
    "ClassImbalance",
    "CPUBottleneck",
    "DataLeak",
    "Dataloader",
    ("DeadRelu", {"patience": 5}),
    "ExplodingGradient",
    "ExplodingTensor",
    "FeatureImportanceOverweight",
    "GPUMemoryIncrease",
    "IOBottleneck",
    "LabelNoise",
    "LearningRateTooHigh",
    "LearningRateTooLow",
    "LoadBalancing",
    (
        "LossNotDecreasing",
        {"mode": "TRAIN", "num_steps": 50, "diff_percent": 1.0, "smooth": 25, "learned_percent": 5.0},
    ),
    "LowGPUUtilization",
    "MaxInitializationTime",
    "NaNLoss",
    "NLPSequenceRatio",
    "OverallFrameworkMetrics",
    "OverallSystemUsage",
    ("Overfit", {"ratio_threshold": 0.5, "patience": 3, "rise": 0.2}),
    ("Overtraining", {"patience_train": 100}),
    ("PoorWeightInitialization", {"threshold": 1000.0, "distribution_range": 0.0, "patience": 10}),
    ("SaturatedActivation", {"patience": 5, "of_values": True}),
    "StalledTraining",
    "StepOutlier",
    "TreeDepth",
    ("UnchangedTensor", {"min_steps": 9, "only_trained": True, "converged": 0.01}),
    ("VanishingGradient", {"patience": 5, "with_biases": False, "converged": 0.01}),
    ("WeightUpdateRatio", {"num_steps": 5}),
)
"""The rules that watch unless others are named; those that need more than a hook can know are left out.

A rule's own defaults are those that the original documents. Where these fire in training that goes well, the set has
parameters that leave such training alone."""


def make_rules(rules: str | Iterable[Any]) -> list[Rule]:
    """Make rules from "default", "none" or "all", or from names, pairs of a name and its parameters, and rules.

    Raises
    ------
    InvalidArgumentError
        If there is no rule of a name, or it has no such parameter.
    """
    if isinstance(rules, str):
        named = {"default": DEFAULT, "all": tuple(RULES), "none": ()}.get(rules)
        rules = (rules,) if named is None else named
    return [_make(rule) for rule in rules]


def rule_class(name: str) -> type[Rule]:
    """Return the class of a built-in rule; InvalidArgumentError names similar ones."""
    name = ALIASES.get(name, name)
    if name not in RULES:
        import difflib

        near = difflib.get_close_matches(name, RULES, 3) or sorted(RULES)
        raise InvalidArgumentError(f"There is no rule {name!r}. There are: {', '.join(near)}.")
    found: type[Rule] = getattr(importlib.import_module(f"kernel_tools.debugger.{RULES[name]}"), name)
    return found


def _make(rule: Any) -> Rule:
    if isinstance(rule, Rule):
        return rule
    name, parameters = (rule, {}) if isinstance(rule, str) else (rule[0], dict(rule[1]))
    kind = rule_class(name)
    try:
        return kind(**parameters)
    except TypeError as error:
        raise InvalidArgumentError(f"The rule {name} cannot be made with {parameters}: {error}.") from error


def __getattr__(name: str) -> Any:
    if name in RULES:
        return rule_class(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has: {', '.join(RULES)}")


__all__ = ["DEFAULT", "RULES", "Rule", "make_rules", "rule_class"]
