"""Evaluation of rules over a trial: live while it grows, or afterwards from the first step to the last."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from kernel_tools.debugger.finding import (
    Finding,
    Findings,
    RuleState,
    RuleStatus,
    now,
    read_findings,
    write_findings,
)
from kernel_tools.debugger.records import Mode
from kernel_tools.debugger.rules.base import Found, Rule
from kernel_tools.debugger.trial import Trial

MOST_TENSORS = 20
"""A rule reports so many tensors; of more it says how many there are."""
OVER_AFTER = 5
"""Sampled steps without a finding after which it is over."""


class Evaluator:
    """Invokes rules at every new step of a trial and keeps what they find."""

    def __init__(
        self, trial: Trial, rules: Sequence[Rule], on_finding: Callable[[Finding], None] | None = None
    ) -> None:
        self._trial = trial
        self._rules = list(rules)
        self._on_finding = on_finding
        self._findings: dict[str, Finding] = {}
        self._order: dict[str, int] = {}
        self._reasons: dict[int, str | None] = {}
        self._failures: dict[int, str] = {}
        self._seen = 0
        self._left_out: dict[str, int] = {}
        self._step = -1
        self._queue: list[tuple[int, Mode]] = [
            (step, mode)
            for _, step, mode in sorted(
                (trial.at(step, mode) or 0, step, mode) for mode in trial.modes() for step in trial.steps(mode)
            )
        ]

    @property
    def findings(self) -> list[Finding]:
        """What was found, in the order in which it was found."""
        return list(self._findings.values())

    def poll(self) -> bool:
        """Look at what is new; returns whether anything was."""
        self._queue += self._trial.refresh()
        new, self._queue = self._queue, []
        for step, mode in new:
            self._seen += 1
            self._step = max(self._step, step)
            for index, rule in enumerate(self._rules):
                if mode in rule.modes and self._applies(index, rule):
                    rule.mode = mode
                    self._run(index, rule, step, partial(rule.invoke_at_step, step, self._trial))
        moment = now()
        for index, rule in enumerate(self._rules):
            if type(rule).tick is not Rule.tick and index not in self._failures:
                self._run(index, rule, self._step, partial(rule.tick, self._trial, moment))
        return bool(new)

    def finish(self) -> None:
        """Let the rules look once more: nothing will follow."""
        for index, rule in enumerate(self._rules):
            if self._applies(index, rule):
                self._run(index, rule, self._step, partial(rule.finish, self._trial))

    def report(self, *, is_over: bool = False) -> Findings:
        """Return the state of all rules and what they have found."""
        return Findings(
            rules=tuple(self._status(index, rule) for index, rule in enumerate(self._rules)),
            findings=tuple(self._findings.values()),
            step=self._step,
            at=now(),
            is_over=is_over,
        )

    def _applies(self, index: int, rule: Rule) -> bool:
        if index in self._failures:
            return False
        try:
            self._reasons[index] = rule.why_not(self._trial)
        except Exception as error:
            self._fail(index, error)
            return False
        return self._reasons[index] is None

    def _run(self, index: int, rule: Rule, step: int, call: Callable[[], Found]) -> None:
        try:
            for finding in _as_findings(rule, step, call()):
                self._take(finding)
        except Exception as error:
            self._fail(index, error)

    def _fail(self, index: int, error: Exception) -> None:
        """A rule that fails is left out from now on, and its board says why: the others go on."""
        self._failures[index] = f"It failed and is left out from now on: {type(error).__name__}: {error}"

    def _take(self, finding: Finding) -> None:
        self._order[finding.id] = self._seen
        known = self._findings.get(finding.id)
        if known is not None:
            self._findings[finding.id] = known.seen_again(finding)
            return
        of_rule = sum(1 for other in self._findings.values() if other.rule == finding.rule)
        if of_rule >= MOST_TENSORS:
            self._left_out[finding.rule] = self._left_out.get(finding.rule, 0) + 1
            return
        at = self._trial.at(finding.step, finding.mode) or now()
        self._findings[finding.id] = finding if finding.at else replace(finding, at=at)
        if self._on_finding is not None:
            self._on_finding(self._findings[finding.id])

    def _status(self, index: int, rule: Rule) -> RuleStatus:
        own = [finding for finding in self._findings.values() if finding.rule == rule.name]
        reason = self._failures.get(index) or self._reasons.get(index) or ""
        if index in self._failures:
            state = RuleState.FAILED
        elif own:
            is_new = any(self._seen - self._order[finding.id] < OVER_AFTER for finding in own)
            state = RuleState.FIRING if is_new else RuleState.FIRED
            left_out = self._left_out.get(rule.name)
            reason = f"and {left_out} more times of other tensors" if left_out else ""
        elif self._reasons.get(index) is not None:
            state = RuleState.NOT_APPLICABLE
        else:
            state, reason = RuleState.WATCHING, rule.conclusion
        return RuleStatus(
            rule=rule.name,
            state=state,
            reason=reason,
            summary=rule.summary,
            kind=rule.kind,
            parameters=_plain(rule.parameters),
            findings=len(own),
        )


def evaluate_trial(trial: Trial, rules: Sequence[Rule]) -> Findings:
    """Evaluate rules over everything that was captured."""
    evaluator = Evaluator(trial, rules)
    evaluator.poll()
    evaluator.finish()
    return evaluator.report(is_over=True)


def _as_findings(rule: Rule, step: int, found: Found) -> Iterable[Finding]:
    if found is None or found is False:
        return ()
    if found is True:
        return (rule.finding(step, f"{rule.name} fired at step {step}."),)
    return (found,) if isinstance(found, Finding) else tuple(found)


def _plain(parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value if isinstance(value, str | int | float | bool | list | dict) else str(value)
        for name, value in parameters.items()
    }


__all__ = ["Evaluator", "evaluate_trial", "read_findings", "write_findings"]
