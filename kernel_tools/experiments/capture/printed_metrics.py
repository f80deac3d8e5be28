r"""Metrics in what training loops and libraries print: a line that names its step and values of metrics.

Understood are XGBoost's ``[3]\ttrain-auc:0.91``, LightGBM's ``[3]\ttrain's auc: 0.91``, Keras-like
``Epoch 3/10 - loss: 0.41 - val_loss: 0.5``, ``step=100 loss=0.41``, and the dictionaries of Hugging Face's Trainer.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from kernel_tools.experiments.capture.guard import guarded
from kernel_tools.experiments.run import Run

MAX_LINE = 2000
"""Characters; no logger of metrics writes longer lines."""
MAX_LINES = 100_000
_NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:nan|inf(?:inity)?)"
_BRACKET = re.compile(r"^\[(\d+)\]\s+(.*)$")
_STEP = re.compile(
    r"\b(epoch|step|iteration|iter|round|batch)\b\s*[:=#]?\s*\[?\s*(\d+)(?:\s*(?:/|of)\s*\d+)?\]?", re.IGNORECASE
)
_ROUND_VALUE = re.compile(rf"([\w@.-]+?)-([\w@.-]+?):({_NUMBER})(?=\s|$|\+)", re.IGNORECASE)
_LIGHTGBM_VALUE = re.compile(rf"([\w.-]+)'s ([\w@.-]+): ({_NUMBER})(?=\s|$)", re.IGNORECASE)
_VALUE = re.compile(rf"(?<![\w.])([A-Za-z][\w/.-]*)\s*[:=]\s*({_NUMBER})(?=[\s,;|)\]]|$)", re.IGNORECASE)
_STEP_NAMES = {"epoch", "step", "iteration", "iter", "round", "batch", "global_step"}
_NO_METRICS = {"eta", "time", "elapsed"}
_LINE_END = re.compile(r"\r\n|\n|\r")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class PrintedMetrics:
    """The metrics of one line; `step` is None if the line gives none that is a whole number."""

    values: dict[str, float]
    step: int | None


class PrintedLines:
    """A sink for output that collects the metrics in its lines."""

    def __init__(self) -> None:
        self.metrics: list[PrintedMetrics] = []
        self._rest = ""

    def write(self, text: str) -> None:
        """Take a piece of output; a carriage return ends a line too, as progress bars do."""
        *lines, rest = _LINE_END.split(self._rest + text)
        self._rest = rest[-MAX_LINE:]
        for line in lines:
            with guarded("printed metrics"):
                if len(self.metrics) < MAX_LINES and (found := parse_line(line)):
                    self.metrics.append(found)

    def log(self, run: Run) -> None:
        """Log what was collected."""
        self.write("\n")
        for found in self.metrics:
            run.log_metrics(found.values, step=found.step)


def parse_line(line: str) -> PrintedMetrics | None:
    """Return the metrics that a printed line tells; None for a line that does not look like a logger's."""
    line = _COLOUR.sub("", line).strip()
    if not line or len(line) > MAX_LINE:
        return None
    if line.startswith("{") and line.endswith("}"):
        return _parse_dictionary(line)
    bracket = _BRACKET.match(line)
    if bracket:
        found = _LIGHTGBM_VALUE.findall(bracket[2]) or _ROUND_VALUE.findall(bracket[2])
        values = {f"{name}/{metric}": float(value) for name, metric, value in found}
        return PrintedMetrics(values, int(bracket[1])) if values else None
    step = _STEP.search(line)
    if step is None:
        return None
    rest = _STEP.sub(" ", line)
    values = {name: float(value) for name, value in _VALUE.findall(rest) if name.lower() not in _NO_METRICS}
    return PrintedMetrics(values, int(step[2])) if values else None


def _parse_dictionary(line: str) -> PrintedMetrics | None:
    try:
        content = ast.literal_eval(line)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    if not isinstance(content, dict) or not _STEP_NAMES & content.keys():
        return None
    values: dict[str, float] = {}
    for name, value in content.items():
        if isinstance(name, str) and name not in _STEP_NAMES and isinstance(value, str | int | float):
            try:
                values[name] = float(value)  # newer Trainers print numbers in quotes
            except ValueError:
                continue
    steps = [content[name] for name in ("global_step", "step", "epoch") if name in content]
    step = int(steps[0]) if isinstance(steps[0], int) or str(steps[0]).isdigit() else None
    return PrintedMetrics(values, step) if values else None
