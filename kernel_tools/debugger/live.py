"""Evaluation of rules while a training goes on: by a thread of its process, or by the process beside a job."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernel_tools.debugger.actions import Actor
from kernel_tools.debugger.evaluation import Evaluator
from kernel_tools.debugger.finding import Finding, write_findings
from kernel_tools.debugger.rules.base import Rule
from kernel_tools.debugger.trial import Trial

if TYPE_CHECKING:
    from kernel_tools.experiments import Run

PERIOD = 0.4
"""Seconds between two looks at what is new; longer if a look takes long."""
MOST_WAIT = 1.0
BUDGET = 0.005
"""The share of a processor that looking may take, up to `MOST_WAIT` seconds between two looks."""


class LiveEvaluation:
    """Evaluates rules over a capture that grows, writes what they find, and has actions taken."""

    def __init__(
        self, folder: Path, rules: Sequence[Rule], actions: Iterable[Any] = (), run: Run | None = None
    ) -> None:
        self._folder = folder
        self._rules = list(rules)
        self._run = run
        self._actor = Actor(actions, run)
        self._evaluator: Evaluator | None = None
        self._trial: Trial | None = None
        self._wake = threading.Event()
        self._is_stopping = False
        self._thread: threading.Thread | None = None
        self._written = ""
        self.failure: str | None = None

    @property
    def stop_reason(self) -> str | None:
        """Why an action wants the training to stop."""
        return self._actor.stop_reason

    def start(self) -> None:
        """Begin, in a thread that does not keep the process alive."""
        self._thread = threading.Thread(target=self._work, name="atelier-debugger", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look once more at everything, and end."""
        self._is_stopping = True
        self._wake.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        elif self._thread is None:
            self._work()

    def _work(self) -> None:
        while not self._is_stopping:
            began = time.thread_time()
            self._look()
            taken = time.thread_time() - began
            self._wake.wait(min(MOST_WAIT, max(PERIOD, taken / BUDGET)))
        self._look(is_over=True)

    def _look(self, is_over: bool = False) -> None:
        try:
            if self._evaluator is None:
                if not any(self._folder.glob("rank-*.db")):
                    return
                self._trial = Trial(self._folder, self._run)
                self._evaluator = Evaluator(self._trial, self._rules, self._on_finding)
            self._evaluator.poll()
            if is_over:
                self._evaluator.finish()
            if is_over:
                self._actor.close()
            report = replace(self._evaluator.report(is_over=is_over), actions=tuple(self._actor.taken))
            shown = repr((report.rules, report.findings, report.actions, is_over))
            if shown != self._written:
                write_findings(self._folder, report)
                self._written = shown
            if is_over and self._trial is not None:
                self._trial.close()
        except Exception as error:  # a full disk, a file that is gone: the training goes on
            if self.failure is None:
                warnings.warn(f"The rules could not be evaluated: {type(error).__name__}: {error}", stacklevel=2)
            self.failure = f"{type(error).__name__}: {error}"

    def _on_finding(self, finding: Finding) -> None:
        began = 0 if self._trial is None else self._trial.meta("began") or 0
        if finding.at >= began:  # else it is of an earlier attempt of the job, or an earlier training of the run
            self._actor.act(finding)
