"""The rules agree with what the original's documentation says, judged by the same recorded tensors.

``python -m tests.debugger.test_documented_rules`` writes the tables into ``docs/debugger-rules.md``.
"""

from __future__ import annotations

import re
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from kernel_tools.debugger.evaluation import evaluate_trial
from kernel_tools.debugger.rules import DEFAULT, make_rules
from kernel_tools.debugger.trial import Trial
from tests.debugger import documented_rules as documented
from tests.debugger.documented_runs import RUNS, record

PAGE = Path(__file__).parents[2] / "docs" / "debugger-rules.md"
DEFINITIONS: dict[str, tuple[documented.Definition, dict[str, Any]]] = {
    "AllZero": (documented.all_zero, {}),
    "CheckInputImages": (documented.check_input_images, {}),
    "ClassImbalance": (documented.class_imbalance, {}),
    "Confusion": (documented.confusion, {}),
    "DeadRelu": (documented.dead_relu, {}),
    "ExplodingTensor": (documented.exploding_tensor, {}),
    "LossNotDecreasing": (documented.loss_not_decreasing, {}),
    "NLPSequenceRatio": (documented.nlp_sequence_ratio, {}),
    "Overfit": (documented.overfit, {}),
    "Overtraining": (documented.overtraining, {}),
    "PoorWeightInitialization": (documented.poor_weight_initialization, {}),
    "SaturatedActivation": (documented.saturated_activation, {}),
    "StalledTraining": (documented.stalled_training, {}),
    "TensorVariance": (documented.tensor_variance, {"max_threshold": 10, "min_threshold": 1e-5}),
    "UnchangedTensor": (documented.unchanged_tensor, {}),
    "VanishingGradient": (documented.vanishing_gradient, {}),
    "WeightUpdateRatio": (documented.weight_update_ratio, {}),
}
OTHER = "a training without validation"


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Trial]:
    """Return what was captured of every training."""
    folder = tmp_path_factory.mktemp("documented")
    return {name: record(folder / str(index), name) for index, name in enumerate(RUNS)}


def judge(trial: Trial, rule: str, parameters: dict[str, Any]) -> int | None:
    """Return the first step at which a rule of Atelier fires; None if it does not."""
    report = evaluate_trial(trial, make_rules([(rule, parameters)]))
    assert report.rules[0].state != "failed", report.rules[0].reason
    return min((finding.step for finding in report.findings), default=None)


def compare(trials: dict[str, Trial]) -> dict[str, dict[str, tuple[int | None, int | None]]]:
    """Return, for every rule and training, the first step at which the definition fires and the rule does."""
    found = {
        rule: {name: (definition(trial), judge(trial, rule, parameters)) for name, trial in trials.items()}
        for rule, (definition, parameters) in DEFINITIONS.items()
    }
    other = trials[OTHER]
    similar = partial(documented.similar_across_runs, other=other)
    found["SimilarAcrossRuns"] = {
        name: (similar(trial), judge(trial, "SimilarAcrossRuns", {"other_trial": other, **_COMPARED}))
        for name, trial in trials.items()
    }
    return dict(sorted(found.items()))


_COMPARED = {"collection_names": ["weights", "gradients", "layers"]}


def table(found: dict[str, dict[str, tuple[int | None, int | None]]]) -> str:
    """Return the comparison as a table."""
    lines = ["| rule | trainings | documented: fired | Atelier: fired | agree | same first step |", "|" + " --- |" * 6]
    for rule, runs in found.items():
        pairs = list(runs.values())
        fired = [sum(pair[side] is not None for pair in pairs) for side in (0, 1)]
        agree = sum((one is None) == (other is None) for one, other in pairs)
        same = sum(one == other for one, other in pairs if one is not None)
        lines.append(f"| {rule} | {len(pairs)} | {fired[0]} | {fired[1]} | {agree} of {len(pairs)} | {same} |")
    return "\n".join(lines)


def default_set() -> str:
    """Return the set that watches by default as a table."""
    lines = ["| in the default set | parameters that are not the documented ones |", "| --- | --- |"]
    for item in DEFAULT:
        name, parameters = (item, {}) if isinstance(item, str) else item
        shown = ", ".join(f"`{key}` {value}" for key, value in parameters.items()).replace("|", "\\|")
        lines.append(f"| {name} | {shown} |")
    return "\n".join(lines)


def test_the_page_says_what_is_in_the_default_set() -> None:
    assert default_set() in PAGE.read_text(encoding="utf-8"), "write the tables anew: see the top of this file"


def test_rules_fire_where_the_documented_definitions_do(trials: dict[str, Trial]) -> None:
    found = compare(trials)
    differing = [
        (rule, name, *pair)
        for rule, runs in found.items()
        for name, pair in runs.items()
        if (pair[0] is None) != (pair[1] is None)
    ]
    assert differing == []
    fired = {rule for rule, runs in found.items() if any(pair[0] is not None for pair in runs.values())}
    assert fired == set(found) - {"StalledTraining"}
    assert all(any(pair[0] is None for pair in runs.values()) for rule, runs in found.items() if rule != "Confusion")
    assert table(found) in PAGE.read_text(encoding="utf-8"), "write the tables anew: see the top of this file"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        recorded = {name: record(Path(temporary) / str(index), name) for index, name in enumerate(RUNS)}
        compared = compare(recorded)
        for rule, runs in compared.items():
            for name, pair in runs.items():
                if (pair[0] is None) != (pair[1] is None) or pair[0] != pair[1]:
                    sys.stderr.write(f"{rule}, {name}: documented {pair[0]}, Atelier {pair[1]}\n")
        if PAGE.exists():
            text = PAGE.read_text(encoding="utf-8")
            for start, new in ((r"\| rule \| trainings ", table(compared)), (r"\| in the default ", default_set())):
                text = re.sub(rf"{start}.*?\n\n", lambda _, new=new: f"{new}\n\n", text, flags=re.S)
            PAGE.write_text(text, encoding="utf-8")
        sys.stdout.write(table(compared) + "\n")
