"""Logging of XGBoost's evaluations, a round at a time, while it trains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kernel_tools.experiments.run import Run

if TYPE_CHECKING:
    from xgboost.callback import TrainingCallback


def xgboost_logger(run: Run, names: Sequence[str] | None = None) -> TrainingCallback:
    """Return a callback that logs every evaluation of every boosting round.

    Parameters
    ----------
    run
        The run to log to.
    names
        Names of the evaluation sets, in their order; the metrics become ``<name>/<metric>``. Default: XGBoost's names.

    Examples
    --------
    >>> logger = kt.experiments.xgboost_logger(run, ["train", "validation"])  # doctest: +SKIP
    >>> XGBClassifier(callbacks=[logger]).fit(X, y, eval_set=[(X, y), (X_validation, y_validation)])  # doctest: +SKIP
    """
    from xgboost.callback import TrainingCallback

    class RunLogger(TrainingCallback):
        def after_iteration(self, model: Any, epoch: int, evals_log: dict[str, dict[str, Any]]) -> bool:
            shown = names or list(evals_log)
            values = {
                f"{name}/{metric}": _last(series)
                for name, metrics in zip(shown, evals_log.values(), strict=True)
                for metric, series in metrics.items()
            }
            run.log_metrics(values, step=epoch)
            return False

    return RunLogger()


def _last(series: Sequence[Any]) -> float:
    value = series[-1]
    return float(value[0] if isinstance(value, tuple) else value)  # with cross-validation: mean and deviation
