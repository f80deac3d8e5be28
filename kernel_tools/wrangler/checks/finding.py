"""What a check has found, with its numbers and the steps that mend it, and the report of all checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from kernel_tools.wrangler.checks.features import Task
    from kernel_tools.wrangler.checks.predictive_power import Power
    from kernel_tools.wrangler.checks.quick_model import QuickModel

Severity = Literal["low", "medium", "high"]

SEVERITIES: tuple[Severity, ...] = ("high", "medium", "low")
"""The worst first."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A step of a recipe that mends it: the operator, its parameters, and why."""

    op: str
    params: dict[str, Any]
    reason: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong, or that one should know before working on.

    Attributes
    ----------
    check, columns
        Which check has found it, and in which columns; none if it is about rows or the whole table.
    severity
        low, medium or high.
    title, message
        A few words, and a plain sentence with the numbers.
    evidence
        The numbers, by name.
    exact, n
        Whether all rows were looked at, and how many were.
    suggestions
        The best first.
    """

    check: str
    columns: tuple[str, ...]
    severity: Severity
    title: str
    message: str
    evidence: Mapping[str, Any]
    exact: bool
    n: int
    suggestions: tuple[Suggestion, ...] = ()

    @property
    def id(self) -> str:
        """A name that it keeps when the checks run again."""
        return ":".join((self.check, *self.columns))

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON types, with its `id`."""
        return {"id": self.id, **asdict(self), "columns": list(self.columns), "evidence": dict(self.evidence)}


@dataclass(frozen=True, slots=True)
class CheckState:
    """What became of a check: how many findings, or the reason why it did not run; `n` rows were looked at."""

    check: str
    title: str
    findings: int
    skipped: str = ""


@dataclass(frozen=True, slots=True)
class Report(Sequence[Finding]):
    """What all checks have found, the worst first; it shows itself in a notebook.

    Attributes
    ----------
    table, rows, columns
        What was looked at, and its size.
    target, task
        What is to be predicted, if anything.
    checks
        What became of each check.
    power, quick_model
        How well each column predicts the target, and all of them together; none without a target.
    notes
        What was not looked at.
    """

    table: str
    rows: int
    columns: int
    findings: tuple[Finding, ...]
    checks: tuple[CheckState, ...]
    target: str | None = None
    task: Task | None = None
    power: tuple[Power, ...] = ()
    quick_model: QuickModel | None = None
    notes: tuple[str, ...] = field(default=())

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    def __getitem__(self, index: Any) -> Any:
        return self.findings[index]

    def count(self, severity: Any) -> int:
        """Return how many findings are that severe."""
        return sum(1 for finding in self.findings if finding.severity == severity)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON types."""
        return {**asdict(self), "findings": [finding.to_dict() for finding in self.findings]}

    def summary(self) -> str:
        """Say in a sentence how much was found, and what was not looked at."""
        counts = [f"{self.count(severity)} {severity}" for severity in SEVERITIES if self.count(severity)]
        found = f"{len(self)} findings ({', '.join(counts)})" if self.findings else "no findings"
        return " ".join([f"{self.rows:,} rows, {self.columns:,} columns: {found}.", *self.notes])

    def __repr__(self) -> str:
        lines = [self.summary()]
        for finding in self.findings:
            lines.append(f"{finding.severity:<8}{finding.message}")
            lines += [f"    {suggestion.op}: {suggestion.reason}" for suggestion in finding.suggestions]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{finding.severity}</td><td>{escape(finding.title)}</td>"
            f"<td style='text-align:left'>{escape(finding.message)}{suggestions_html(finding)}</td></tr>"
            for finding in self.findings
        )
        head = "<tr><th>severity</th><th>what</th><th style='text-align:left'>where, and what to do</th></tr>"
        table = f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>" if rows else ""
        return f"<p>{escape(self.summary())}</p>{table}"


def suggestions_html(finding: Finding) -> str:
    """Return the suggested steps as an HTML list, as calls of `Recipe`."""
    items = "".join(f"<li>{escape(one.reason)} <code>{escape(call_of(one))}</code></li>" for one in finding.suggestions)
    return f"<ul>{items}</ul>" if items else ""


def call_of(suggestion: Suggestion) -> str:
    """Return a suggestion as the call that adds it to a recipe, ``.drop(columns=['id'])``."""
    arguments = ", ".join(f"{name}={value!r}" for name, value in suggestion.params.items())
    return f".{suggestion.op}({arguments})"
