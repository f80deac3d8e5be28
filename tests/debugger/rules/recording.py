"""A recording written by hand: what a hook would have captured of a training that goes as a test wants it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kernel_tools.debugger.evaluation import evaluate_trial
from kernel_tools.debugger.finding import Finding, RuleStatus
from kernel_tools.debugger.records import COLUMNS, QUANTILES, TICK, Mode
from kernel_tools.debugger.rules import Rule
from kernel_tools.debugger.store import StoreWriter, store_path
from kernel_tools.debugger.trial import Trial

START = 1_700_000_000_000
SECOND = 1000


def statistics(values: np.ndarray[Any, Any], **given: float) -> list[float]:
    """Return the statistics of a tensor as the hook stores them; those given take the place of what is worked out."""
    finite = values[np.isfinite(values)].astype("f8")
    finite = finite if len(finite) else np.zeros(1)
    found = {
        "nan": float(np.isnan(values).sum()),
        "inf": float(np.isinf(values).sum()),
        "zeros": float((values == 0).mean()),
        "min": finite.min(),
        "max": finite.max(),
        "mean": finite.mean(),
        "std": finite.std(),
        "l1": np.abs(finite).sum(),
        "l2": np.sqrt((finite**2).sum()),
        "dead": np.nan,
        "saturated": np.nan,
        **{f"q{round(100 * q):02d}": np.quantile(finite, q) for q in QUANTILES},
        **given,
    }
    return [float(found[name]) for name in COLUMNS]


class Recording:
    """Writes steps into a store and reads them as a trial."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.writer = StoreWriter(store_path(folder, 0), framework="pytorch", max_disk=1 << 28)
        self.writer.set_meta("has_loss", True)
        self.values: dict[tuple[str, int], np.ndarray[Any, Any]] = {}

    def meta(self, **pairs: Any) -> Recording:
        """Say something about the whole training."""
        for key, value in pairs.items():
            self.writer.set_meta(key, value)
        return self

    def define(self, name: str, collection: str, shape: Sequence[int] = (8, 4), kind: str = "Linear") -> int:
        """Make a tensor known."""
        layer = name.partition("/")[2] or name
        return self.writer.define(name, [collection], shape, kind, layer.rpartition(".")[0])

    def step(
        self,
        step: int,
        tensors: Mapping[str, np.ndarray[Any, Any]] | None = None,
        *,
        mode: Mode = Mode.TRAIN,
        loss: float = np.nan,
        rate: float = 0.1,
        at: int | None = None,
        given: Mapping[str, Mapping[str, float]] | None = None,
        kinds: Mapping[str, str] | None = None,
        is_sampled: bool = True,
    ) -> None:
        """Record a step: tensors by name, the collection told by the name."""
        at = START + step * SECOND if at is None else at
        tick = dict.fromkeys(TICK, 0.0) | {
            "step": step,
            "mode": mode,
            "at": at,
            "loss": loss,
            "learning_rate": rate,
            "batch_size": 64,
        }
        self.writer.write_ticks(np.array([[tick[name] for name in TICK]]))
        if not is_sampled:
            return
        tensors = tensors if tensors is not None else {"weight": np.ones(4)}
        ids = []
        for name, values in tensors.items():
            ids.append(self.define(name, collection_of(name), values.shape, (kinds or {}).get(name, "Linear")))
            self.values[name, step] = values
        block = np.array([statistics(values, **(given or {}).get(name, {})) for name, values in tensors.items()], "f4")
        self.writer.write_step(step, mode, at, self.writer.layout(np.array(ids, "i4")), block)

    def array(self, name: str, step: int, values: np.ndarray[Any, Any], mode: Mode = Mode.TRAIN) -> None:
        """Record the elements of a tensor, such as a confusion matrix."""
        tensor = self.define(name, collection_of(name), values.shape, "")
        self.writer.write_array(tensor, step, mode, START + step * SECOND, values)

    def trial(self) -> Trial:
        """Return what was recorded."""
        return Trial(self.folder)

    def findings(self, rule: Rule) -> list[Finding]:
        """Return what a rule finds."""
        return self.judge(rule)[1]

    def judge(self, rule: Rule) -> tuple[RuleStatus, list[Finding]]:
        """Return the state of a rule and what it finds; a rule that fails fails the test."""
        trial = self.trial()
        report = evaluate_trial(trial, [rule])
        trial.close()
        assert report.rules[0].state != "failed", report.rules[0].reason
        return report.rules[0], list(report.findings)


def collection_of(name: str) -> str:
    """Return the collection that the hook puts a tensor of a name into."""
    for prefix, collection in (("gradient/", "gradients"), ("update/", "updates"), ("labels/", "predictions")):
        if name.startswith(prefix):
            return collection
    if name in ("confusion", "predictions/count"):
        return "predictions"
    if name.endswith(".bias"):
        return "biases"
    if name.startswith("input_"):
        return "inputs"
    if name.startswith("output_"):
        return "outputs"
    return "layers" if "output_" in name else "weights"
