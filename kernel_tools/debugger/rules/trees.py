"""Rules about boosted trees: how deep they grow, which features they lean on, and the report of a training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.debugger.boosting.trees import OTHERS
from kernel_tools.debugger.finding import Advice, Severity
from kernel_tools.debugger.rules.base import Found, Rule
from kernel_tools.debugger.trial import Trial

_BOOSTED = ("xgboost", "lightgbm", "sklearn")


class TreeDepth(Rule):
    """Trees that stay below the depth they may have: splits no longer improve the loss enough to be kept.

    The documentation takes the base 2 logarithm of the largest node number for the depth, which is right for a complete
    tree whose nodes are numbered level by level. XGBoost numbers nodes as they are made, so that for a sparse tree the
    logarithm says how deep a complete tree of as many nodes would be. That is what is compared, as documented; the
    message says the true depth too. The documentation does not say which way the limit works: here the rule fires for
    trees that do not reach `depth`, since a deeper tree is what was asked for, and a shallower one tells something. A
    model whose own limit (``max_depth``, or ``num_leaves`` of LightGBM) is lower is measured by that.

    If no tree had a split so far it is a warning: nothing is learned. Otherwise it is a hint.

    Parameters
    ----------
    depth
        The depth that trees are expected to reach.
    """

    severity: ClassVar[Severity] = Severity.HINT
    collections: ClassVar[tuple[str, ...]] = ("trees",)

    def __init__(
        self,
        depth: int = 4,
        *,
        collection_names: Sequence[str] | None = None,
        tensor_regex: Sequence[str] | str | None = None,
    ) -> None:
        super().__init__(collection_names=collection_names, tensor_regex=tensor_regex)
        if depth < 1:
            raise InvalidArgumentError(f"TreeDepth(depth={depth!r}): use a whole number, 1 or more.")
        self.depth = depth
        self._has_split = False

    def why_not(self, trial: Trial) -> str | None:
        """Return that there are no trees."""
        return None if trial.has_tensor("trees/largest_node") else "The model is not made of boosted trees."

    def invoke_at_step(self, step: int, trial: Trial) -> Found:
        """Compare the trees of the round with the depth."""
        largest = _at(trial, "trees/largest_node", step)
        if largest is None:
            return None
        reached = int(math.log2(largest)) if largest >= 1 else 0
        self._has_split = self._has_split or largest >= 1
        expected = self._expected(trial)
        if reached >= expected:
            return None
        depth = int(_at(trial, "trees/depth", step) or 0)
        leaves = _at(trial, "trees/leaves", step) or 1.0
        evidence = {"figure": "series", "tensors": ["trees/largest_node", "trees/depth"], "reduction": "mean"}
        if depth == 0:
            message = (
                f"The trees of round {step} have no split: none improves the loss enough to be kept, so the round "
                "changes nothing but the constant."
            )
            severity = Severity.HINT if self._has_split else Severity.WARNING
            advice = self._advice(trial, step) if self._has_split else self._advice_unsplit(trial)
            return self.finding(
                step, message, value=0, threshold=expected, advice=advice, evidence=evidence, severity=severity
            )
        message = (
            f"The trees of round {step} have as many nodes as a complete tree of depth {reached} (depth {depth}, "
            f"{leaves:.3g} leaves on average), below the {expected} that they may have: further splits were rejected "
            "because they do not improve the loss."
        )
        return self.finding(
            step, message, value=reached, threshold=expected, advice=self._advice(trial, step), evidence=evidence
        )

    def _expected(self, trial: Trial) -> int:
        settings = trial.meta("hyperparameters") or {}
        own = settings.get("max_depth")
        expected = self.depth if not isinstance(own, int) or own <= 0 else min(self.depth, own)
        leaves = settings.get("num_leaves" if trial.meta("framework") == "lightgbm" else "max_leaves")
        if isinstance(leaves, int) and leaves > 1:
            expected = min(expected, int(math.log2(2 * leaves - 2)))
        return expected

    def _advice(self, trial: Trial, step: int) -> list[Advice]:
        is_lightgbm = trial.meta("framework") == "lightgbm"
        stop = (
            "callbacks = [lightgbm.early_stopping(20)]"
            if is_lightgbm
            else f"model = xgboost.train(params, dtrain, {max(step * 2, 100)}, evals=[(dvalid, 'validation')], "
            "early_stopping_rounds=20)"
        )
        if trial.meta("framework") == "sklearn":
            stop = "model.set_params(n_iter_no_change=20, validation_fraction=0.1)"
        return [
            Advice(
                "Stop when the validation loss no longer falls",
                "Trees that hardly split add little: the rounds after this one cost time and may overfit.",
                stop,
            ),
            _loosen(trial, "If the loss should fall further, let weaker splits through."),
        ]

    def _advice_unsplit(self, trial: Trial) -> list[Advice]:
        return [
            _loosen(trial, "A limit on splits, or too strong a regularization, rejects all of them."),
            Advice(
                "Look at the features and labels",
                "Constant features, shuffled labels, or labels of one class leave nothing to split by.",
                "X.nunique().sort_values().head(), y.value_counts()",
            ),
        ]


class FeatureImportanceOverweight(Rule):
    """Few features that carry nearly all of the model: often one that knows the answer, such as a leak.

    Fires, as documented, when the `nfeatures` most important features hold more than the share `threshold` of all
    importance, by the number of splits (``feature_importance/weight/``). Added here: it fires too when one feature
    alone holds more than `gain_threshold` of all that the loss was improved by (``total_gain``), since a leak is used
    up by a few splits that are then outnumbered. Before `rounds` rounds it says nothing, unless the training ends: the
    first trees lean on the strongest features in any model. A model of not more than `nfeatures` features is not looked
    at.

    Parameters
    ----------
    threshold
        The largest share of the most important features together.
    nfeatures
        How many they are.
    gain_threshold
        The largest share of the total gain of one feature; None looks at splits alone.
    rounds
        Rounds before it says anything.
    """

    severity: ClassVar[Severity] = Severity.WARNING
    collections: ClassVar[tuple[str, ...]] = ("feature_importance",)

    def __init__(
        self,
        threshold: float = 0.8,
        nfeatures: int = 3,
        gain_threshold: float | None = 0.9,
        rounds: int = 10,
        *,
        collection_names: Sequence[str] | None = None,
        tensor_regex: Sequence[str] | str | None = None,
    ) -> None:
        super().__init__(collection_names=collection_names, tensor_regex=tensor_regex)
        if not 0 < threshold <= 1 or nfeatures < 1:
            raise InvalidArgumentError(
                f"FeatureImportanceOverweight(threshold={threshold!r}, nfeatures={nfeatures!r}): use a share up to 1, "
                "and 1 feature or more."
            )
        self.threshold = threshold
        self.nfeatures = nfeatures
        self.gain_threshold = gain_threshold
        self.rounds = rounds
        self._looked = -1

    def why_not(self, trial: Trial) -> str | None:
        """Return that there are no importances, or too few features."""
        if not trial.tensor_names(collection="feature_importance"):
            return "No importances of features are captured."
        features = trial.meta("features") or []
        if features and len(features) <= self.nfeatures:
            return f"The model has only {len(features)} features."
        return None

    def invoke_at_step(self, step: int, trial: Trial) -> Found:
        """Look at the importances of a round."""
        return self._look(step, trial) if step + 1 >= self.rounds else None

    def finish(self, trial: Trial) -> Found:
        """Look at the last importances of a short training."""
        steps = trial.steps(self.mode)
        return self._look(steps[-1], trial) if steps and self._looked < 0 else None

    def _look(self, step: int, trial: Trial) -> Found:
        self._looked = step
        by_gain = self._shares(trial, step, "total_gain")
        if self.gain_threshold is not None and by_gain and by_gain[0][1] > self.gain_threshold:
            feature, share = by_gain[0]
            message = (
                f"The feature {feature!r} alone makes {share:.1%} of what the model has gained by round {step}. It may "
                "know the answer."
            )
            return self._found(step, message, [feature], share, self.gain_threshold, "total_gain", Severity.WARNING)
        ranked = self._shares(trial, step, "weight")
        top = ranked[: self.nfeatures]
        share = sum(value for _, value in top)
        if len(ranked) < 1 or share <= self.threshold:
            return None
        names = [name for name, _ in top]
        message = (
            f"The {len(names)} most used features ({', '.join(map(repr, names))}) hold {share:.1%} of all splits by "
            f"round {step}, more than {self.threshold:.0%}. The others hardly count."
        )
        return self._found(step, message, names, share, self.threshold, "weight", self.severity)

    def _shares(self, trial: Trial, step: int, kind: str) -> list[tuple[str, float]]:
        """Return features and their shares of an importance at a round, the largest first."""
        prefix = f"feature_importance/{kind}/"
        values: dict[str, float] = {}
        for name in trial.tensor_names(collection="feature_importance"):
            if name.startswith(prefix) and (self.tensor_regex is None or self.looks_at(name, ())):
                value = _at(trial, name, step)
                if value is not None and value > 0:
                    values[name.removeprefix(prefix)] = value
        total = sum(values.values())
        values.pop(OTHERS, None)
        return sorted(((name, value / total) for name, value in values.items()), key=lambda item: -item[1])

    def _found(
        self, step: int, message: str, names: list[str], value: float, threshold: float, kind: str, severity: Severity
    ) -> Found:
        first = names[0]
        advice = [
            Advice(
                f"Check whether {first!r} is known when the model predicts",
                "A column that is filled in after the outcome, or made from it, leaks the answer: the model is then "
                "useless on new data.",
                f"import pandas as pd\npd.crosstab(pd.qcut(X[{first!r}].rank(), 10), y, normalize='index')",
            ),
            Advice(
                "Train once without it and compare",
                "If the validation metric hardly falls, the model is sturdier without; if it collapses, find out why.",
                f"model_without = train(X.drop(columns={names!r}), y)",
            ),
            Advice(
                "Let each tree see a part of the features",
                "The others are used too, and the model depends less on one column.",
                "params |= {'colsample_bytree': 0.6, 'colsample_bynode': 0.6}",
            ),
        ]
        evidence = {"figure": "importance", "step": step, "kind": kind}
        return self.finding(
            step,
            message,
            tensor=f"feature_importance/{kind}",
            value=value,
            threshold=threshold,
            advice=advice,
            evidence=evidence,
            severity=severity,
        )


class CreateXgboostReport(Rule):
    """The report of a training by boosted trees, as one HTML page: curves, importances, confusion, ROC or residuals.

    It is made when the training ends, from what was captured, and kept with the run as
    ``debugger/boosting-report.html`` (in the Debugger's folder where there is no run). It finds nothing wrong: its
    finding, a hint, says where the page is. The documentation has metrics and importances saved every 5 steps for it;
    here importances are saved as often as the budget allows, and the evaluations always.
    """

    severity: ClassVar[Severity] = Severity.HINT

    def why_not(self, trial: Trial) -> str | None:
        """Return that no boosted trees were captured."""
        if trial.meta("framework") not in _BOOSTED or not trial.has_tensor("trees/depth"):
            return "The model is not made of boosted trees."
        return None

    def invoke_at_step(self, step: int, trial: Trial) -> Found:
        """Wait for the end."""
        return None

    def finish(self, trial: Trial) -> Found:
        """Make the report."""
        from kernel_tools.debugger.boosting.report import keep_report

        steps = trial.steps(self.mode)
        if not steps:
            return None
        place = keep_report(trial)
        return self.finding(
            steps[-1],
            f"The report of the training is in {place}.",
            evidence={"figure": "loss", "step": steps[-1]},
        )


def _loosen(trial: Trial, reason: str) -> Advice:
    settings = trial.meta("hyperparameters") or {}
    framework = trial.meta("framework")
    if framework == "lightgbm":
        patch = "params |= {'min_data_in_leaf': 5, 'min_gain_to_split': 0.0, 'lambda_l2': 0.0}"
        limits: tuple[str, ...] = ("min_data_in_leaf", "min_gain_to_split", "lambda_l2")
    elif framework == "sklearn":
        patch = "model.set_params(min_samples_leaf=1, min_impurity_decrease=0.0)"
        limits = ("min_samples_leaf", "min_impurity_decrease")
    else:
        patch = "params |= {'gamma': 0, 'min_child_weight': 1, 'lambda': 1, 'alpha': 0}"
        limits = ("gamma", "min_child_weight", "lambda", "alpha")
    present = ", ".join(f"{name} is {settings[name]}" for name in limits if settings.get(name) is not None)
    return Advice("Let weaker splits through", f"{reason} Now {present}." if present else reason, patch)


def _at(trial: Trial, name: str, step: int) -> float | None:
    """Return a single number of a step; None if it was not captured then."""
    if not trial.has_tensor(name):
        return None
    steps, values = trial.scalars(name)
    place = int(steps.searchsorted(step))
    return float(values[place]) if place < len(steps) and steps[place] == step else None
