"""Rules about a run as a whole: whether it is like another one, and whether it still goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kernel_tools.debugger.finding import Advice, Finding, Severity
from kernel_tools.debugger.records import Mode
from kernel_tools.debugger.rules.base import Found, Rule
from kernel_tools.debugger.rules.knowledge import Knowledge
from kernel_tools.debugger.rules.patience import also
from kernel_tools.debugger.rules.tensors import rows_close
from kernel_tools.debugger.trial import Trial


class SimilarAcrossRuns(Rule):
    """Tensors that differ from those of another run at the same step.

    The name is the original's; as there, it fires on what is *not* the same. Compared are the statistics that both
    have, at steps that both have sampled, with the tolerances of `numpy.allclose`; the original names none.

    Parameters
    ----------
    other_trial
        The other run: its id, a folder that was captured into, or a trial. ``other_trials`` is the same.
    rtol, atol
        The tolerances.
    """

    severity = Severity.HINT
    modes = (Mode.TRAIN, Mode.EVAL)
    collections = ("weights", "biases", "gradients", "layers", "inputs", "outputs")

    def __init__(
        self,
        *,
        other_trial: Any = None,
        other_trials: Any = None,
        rtol: float = 1e-5,
        atol: float = 1e-8,
        collection_names: list[str] | None = None,
        tensor_regex: list[str] | str | None = None,
    ) -> None:
        super().__init__(collection_names=collection_names, tensor_regex=tensor_regex)
        given = other_trial if other_trial is not None else other_trials
        if isinstance(given, Sequence) and not isinstance(given, str):
            given = given[0] if given else None
        self.other_trial = given
        self.rtol = rtol
        self.atol = atol
        self._other: Trial | None = given if isinstance(given, Trial) else None
        self._first = ""

    def why_not(self, trial: Trial) -> str | None:
        if self.other_trial is None:
            return "It was given no run to compare with: use SimilarAcrossRuns(other_trial=...)."
        return None

    def invoke_at_step(self, step: int, trial: Trial) -> Found:
        block, other = self.look(step, trial), self._open().statistics(step, self.mode)
        if block is None or other is None:
            return None
        places = {tensor.name: index for index, tensor in enumerate(other.tensors)}
        both = [index for index, tensor in enumerate(block.tensors) if tensor.name in places]
        if not both:
            return None
        mine = block.values[both]
        theirs = other.values[[places[block.tensors[index].name] for index in both]]
        differs = np.flatnonzero(~rows_close(theirs, mine, self.rtol, self.atol, equal_nan=True))
        if not len(differs):
            return None
        names = [block.tensors[both[index]].name for index in differs]
        self._first = self._first or names[0]
        return self.finding(
            step,
            f"{names[0]} differs from the other run at step {step}.{also(names[1:])}",
            tensor=self._first,
            value=float(len(names)),
            threshold=0.0,
            advice=[
                Advice(
                    "Make both runs repeatable, if they are meant to be the same",
                    "Without the same seeds, weights, batches and dropout differ from the first step on.",
                    "import random\nimport numpy as np\nimport torch\n\nrandom.seed(0)\nnp.random.seed(0)\n"
                    "torch.manual_seed(0)\ntorch.use_deterministic_algorithms(True)",
                )
            ],
            evidence={"figure": "series", "tensors": names[:5], "reduction": "l2"},
        )

    def _open(self) -> Trial:
        if self._other is None:
            from kernel_tools.debugger.opening import open as open_trial

            self._other = open_trial(self.other_trial)
        return self._other


class StalledTraining(Rule):
    """Training that stands still: no step for a long time.

    Every step counts, sampled or not. The original also stops the job itself (`stop_training_on_fire`); here that is
    an action, ``actions=[StopTraining(rules=("StalledTraining",))]``, and the parameter is kept for those who come from
    there. Time between steps that is found afterwards counts too, but not the time since a run that has died.

    Parameters
    ----------
    threshold
        Seconds without a step.
    stop_training_on_fire, training_job_name_prefix
        As in the original; nothing looks at them.
    """

    severity = Severity.ERROR
    modes = (Mode.TRAIN, Mode.EVAL, Mode.PREDICT)

    def __init__(
        self,
        *,
        threshold: float = 1800.0,
        stop_training_on_fire: bool = False,
        training_job_name_prefix: str | None = None,
        collection_names: list[str] | None = None,
        tensor_regex: list[str] | str | None = None,
    ) -> None:
        super().__init__(collection_names=collection_names, tensor_regex=tensor_regex)
        self.threshold = float(threshold)
        self.stop_training_on_fire = stop_training_on_fire
        self.training_job_name_prefix = training_job_name_prefix
        self._judged = 0
        self._began: int | None = None

    def invoke_at_step(self, step: int, trial: Trial) -> Found:
        steps, ats = Knowledge.of(trial).ats(step)
        start, self._judged = max(self._judged - 1, 0), len(ats)
        gaps = np.diff(ats[start:])
        if not len(gaps) or gaps.max() <= 1000 * self.threshold:
            return None
        place = start + int(gaps.argmax())
        return self._tell(int(steps[place]), float(gaps.max()) / 1000, f"until step {steps[place + 1]}")

    def tick(self, trial: Trial, now: int) -> Found:
        ats = Knowledge.of(trial).ats(_EVER)
        if self._began is None:
            self._began = now
        last = max(int(ats[1][-1]) if len(ats[1]) else 0, self._began)
        waited = (now - last) / 1000
        if waited <= self.threshold or trial.loaded_all_steps:
            return None
        return self._tell(int(ats[0][-1]) if len(ats[0]) else 0, waited, "and still")

    def _tell(self, step: int, waited: float, until: str) -> Finding:
        return self.finding(
            step,
            f"Nothing was trained for {waited:,.0f} s after step {step}, {until}; {self.threshold:,.0f} s is the "
            "limit.",
            value=waited,
            threshold=self.threshold,
            advice=[
                Advice(
                    "See where it hangs",
                    "A data loader that waits for a dead worker, and a rank that waits for another, look like this.",
                    "import faulthandler\n\nfaulthandler.dump_traceback_later(600, repeat=True)  # before training",
                ),
                Advice(
                    "Let data loaders give up",
                    "An error after a minute is better than silence.",
                    "loader = torch.utils.data.DataLoader(dataset, batch_size=64, num_workers=2, timeout=60)",
                ),
            ],
            evidence={"figure": "step_times"},
        )


_EVER = 2**62
