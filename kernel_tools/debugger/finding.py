"""What rules have found: findings with their advice, the state of every rule, and the file that both are kept in."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from html import escape
from pathlib import Path
from typing import Any

from kernel_tools.core.errors import IntegrityError

FINDINGS_VERSION = 1
FILE = "findings.json"


class Severity(StrEnum):
    """How bad it is: an error spoils the training, a warning costs quality or time, a hint may be nothing."""

    ERROR = "error"
    WARNING = "warning"
    HINT = "hint"


class RuleState(StrEnum):
    """What a rule is doing; it has FIRED if it found something that is over, and is FIRING while it goes on."""

    WATCHING = "watching"
    FIRING = "firing"
    FIRED = "fired"
    NOT_APPLICABLE = "not_applicable"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Advice:
    """What one can do: a short imperative, the reason, and code to paste ("" if there is none).

    `seconds` is what it would save of the time so far, None if that cannot be said.
    """

    title: str
    reason: str
    patch: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule has found; a finding that goes on is one finding whose `last_step` and `count` grow.

    Attributes
    ----------
    rule, severity
        Which rule, and how bad it is.
    step, mode
        The step at which it was first found. Rules of the profiler name the last step that they looked at.
    message
        A plain sentence with the numbers.
    tensor
        The tensor that it is about; "" if it is about the training as a whole.
    value, threshold
        What was measured, and the limit that it crossed; None where there is no single number.
    advice
        The best first.
    evidence
        What shows it: ``{"figure": name, ...arguments}``, a figure of `kernel_tools.debugger.figures.EVIDENCE`.
    at
        When, in milliseconds since 1970 UTC.
    """

    rule: str
    severity: Severity
    step: int
    message: str
    mode: str = "TRAIN"
    tensor: str = ""
    value: float | None = None
    threshold: float | None = None
    advice: tuple[Advice, ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)
    at: int = 0
    last_step: int = -1
    count: int = 1

    @property
    def id(self) -> str:
        """A name that is the same while the finding goes on."""
        return f"{self.rule}:{self.tensor}" if self.tensor else self.rule

    def seen_again(self, other: Finding) -> Finding:
        """Return this finding with what is newer in another one of the same id."""
        return replace(
            self,
            message=other.message,
            value=other.value,
            advice=other.advice,
            evidence=other.evidence,
            last_step=other.step,
            count=self.count + 1,
        )


@dataclass(frozen=True, slots=True)
class RuleStatus:
    """The state of a rule: `reason` says why it does not apply, or how it failed; `summary` what it looks for."""

    rule: str
    state: RuleState
    reason: str = ""
    summary: str = ""
    kind: str = "training"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    findings: int = 0


@dataclass(frozen=True, slots=True)
class TakenAction:
    """An action that was taken: its name, the id of the finding that it was for, and what came of it."""

    action: str
    finding: str
    result: str
    is_done: bool
    at: int


@dataclass(frozen=True, slots=True)
class Findings:
    """The state of all rules of a run, and what they have found, in the order in which it was found.

    It can be iterated over, and shows itself in a notebook.
    """

    rules: tuple[RuleStatus, ...] = ()
    findings: tuple[Finding, ...] = ()
    step: int = -1
    at: int = 0
    is_over: bool = False
    actions: tuple[TakenAction, ...] = ()

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    def __getitem__(self, index: int) -> Finding:
        return self.findings[index]

    def count(self, state: RuleState) -> int:
        """Return how many rules are in a state."""
        return sum(1 for rule in self.rules if rule.state is state)

    def __repr__(self) -> str:
        lines = [self._summary()]
        for finding in self.findings:
            lines.append(f"{finding.severity.value:<8}{finding.rule} at step {finding.step}: {finding.message}")
            lines += [f"    {number}. {advice.title}" for number, advice in enumerate(finding.advice, 1)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Return the findings as HTML for a notebook, the advice with its code."""
        rows = "".join(
            f"<tr><td>{escape(finding.severity.value)}</td><td>{escape(finding.rule)}</td><td>{finding.step}</td>"
            f"<td style='text-align:left'>{escape(finding.message)}{_advice_html(finding)}</td></tr>"
            for finding in self.findings
        )
        head = (
            "<tr><th>severity</th><th>rule</th><th>step</th><th style='text-align:left'>what, and what to do</th></tr>"
        )
        table = f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>" if rows else ""
        return f"<p>{escape(self._summary())}</p>{table}"

    def _summary(self) -> str:
        if not self.rules:
            return "No rule has looked at this run yet."
        counts = {state: self.count(state) for state in RuleState}
        parts = [f"{number} {state.value.replace('_', ' ')}" for state, number in counts.items() if number]
        return f"{len(self.rules)} rules up to step {self.step}: {', '.join(parts)}."


def _advice_html(finding: Finding) -> str:
    items = "".join(
        f"<li><b>{escape(advice.title)}</b>: {escape(advice.reason)}"
        + (f"<pre>{escape(advice.patch)}</pre>" if advice.patch else "")
        + "</li>"
        for advice in finding.advice
    )
    return f"<ol>{items}</ol>" if items else ""


def write_findings(folder: Path, found: Findings) -> None:
    """Write the file whole, by another name first."""
    path = folder / FILE
    temporary = path.with_name(f"{FILE}.{os.getpid()}")
    content = json.dumps({"version": FINDINGS_VERSION, **asdict(found)}, ensure_ascii=False, default=float)
    temporary.write_text(content, encoding="utf-8")
    os.replace(temporary, path)


def read_findings(folder: Path) -> Findings:
    """Read the file; without one nothing was evaluated yet.

    Raises
    ------
    IntegrityError
        If it is not what Atelier wrote, or a newer Atelier wrote it.
    """
    path = folder / FILE
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        version = plain.pop("version")
        if version <= FINDINGS_VERSION:
            return Findings(
                rules=tuple(_rule_status(item) for item in plain["rules"]),
                findings=tuple(_finding(item) for item in plain["findings"]),
                step=plain["step"],
                at=plain["at"],
                is_over=plain["is_over"],
                actions=tuple(TakenAction(**item) for item in plain.get("actions", ())),
            )
    except FileNotFoundError:
        return Findings()
    except (ValueError, KeyError, TypeError) as error:
        raise IntegrityError(f"{path} is not what Atelier wrote ({type(error).__name__}: {error}).") from error
    raise IntegrityError(
        f"{path} has format version {version!r}; this Atelier reads {FINDINGS_VERSION}. Update Atelier."
    )


def now() -> int:
    """Return milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


def _rule_status(plain: dict[str, Any]) -> RuleStatus:
    known = {item.name: plain[item.name] for item in fields(RuleStatus) if item.name in plain}
    return RuleStatus(**{**known, "state": RuleState(known["state"])})


def _finding(plain: dict[str, Any]) -> Finding:
    known = {item.name: plain[item.name] for item in fields(Finding) if item.name in plain}
    advice = tuple(Advice(**item) for item in known.pop("advice", ()))
    return Finding(**{**known, "severity": Severity(known["severity"]), "advice": advice})
