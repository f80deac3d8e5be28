"""What rules have found: findings with their advice, the state of every rule, and the file that both are kept in."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
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
    """The state of all rules of a run, and what they have found, in the order in which it was found."""

    rules: tuple[RuleStatus, ...] = ()
    findings: tuple[Finding, ...] = ()
    step: int = -1
    at: int = 0
    is_over: bool = False
    actions: tuple[TakenAction, ...] = ()


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
