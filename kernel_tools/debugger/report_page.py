"""A report as one HTML page that needs nothing else: sections of figures, tables and findings."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kernel_tools.core.errors import NotFoundError
from kernel_tools.debugger.finding import Finding

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

_STYLE = (
    "body{font-family:system-ui,sans-serif;max-width:960px;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse}td,th{padding:.25rem .75rem .25rem 0;text-align:left;vertical-align:top}"
    "td.number{text-align:right;font-variant-numeric:tabular-nums}"
    "th{font-weight:600}h2{margin-top:2rem}p{max-width:70ch}pre{white-space:pre-wrap;background:#f5f5f5;padding:.5rem}"
)


class ReportPage:
    """Gathers sections; what cannot be drawn because it was not captured is named at the end."""

    def __init__(self, title: str) -> None:
        self._title = html.escape(title)
        self._parts: list[str] = []
        self._missing: list[str] = []
        self._has_figure = False

    def add_figure(self, title: str, text: str, draw: Callable[[], go.Figure]) -> None:
        """Add a figure with a sentence about it."""
        try:
            figure = draw()
        except NotFoundError as error:
            self._missing.append(f"{title}: {error}")
            return
        figure.update_layout(height=max(420, figure.layout.height or 0))  # one with many rows knows what it needs
        options: dict[str, Any] = {"displayModeBar": False}
        content = figure.to_html(full_html=False, include_plotlyjs=not self._has_figure, config=options)
        self._has_figure = True
        self._parts.append(f"<section><h2>{html.escape(title)}</h2><p>{html.escape(text)}</p>{content}</section>")

    def add_facts(self, facts: Mapping[str, Any], folded: str = "") -> None:
        """Add a table of names and values, under a line that unfolds it if one is given."""
        body = "".join(
            f"<tr><th scope='row'>{html.escape(str(name))}</th><td>{html.escape(str(value))}</td></tr>"
            for name, value in facts.items()
        )
        table = f"<table>{body}</table>"
        summary = f"<details><summary>{html.escape(folded)}</summary>{table}</details>"
        self._parts.append(summary if folded else table)

    def add_table(self, title: str, text: str, table: pd.DataFrame) -> None:
        """Add a table, its numbers with four digits."""
        head = "".join(f"<th>{html.escape(str(column))}</th>" for column in table.columns)
        body = "".join(
            "<tr>"
            + "".join(
                f"<td class='number'>{value:.4g}</td>"
                if isinstance(value, float)
                else f"<td>{html.escape(str(value))}</td>"
                for value in row
            )
            + "</tr>"
            for row in table.itertuples(index=False)
        )
        self._parts.append(
            f"<section><h2>{html.escape(title)}</h2><p>{html.escape(text)}</p>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></section>"
        )

    def add_findings(self, findings: Sequence[Finding], most_advice: int = 3) -> None:
        """Add what rules have found, with the best advice and its code."""
        if not findings:
            self._parts.append("<h2>Findings</h2><p>No rule has found anything.</p>")
            return
        items = "".join(
            f"<li><b>{html.escape(finding.rule)}</b> ({finding.severity.value}): {html.escape(finding.message)}<ol>"
            + "".join(
                f"<li>{html.escape(advice.title)}. {html.escape(advice.reason)}"
                + (f" About {advice.seconds:.3g} s of this run." if advice.seconds else "")
                + (f"<pre>{html.escape(advice.patch)}</pre>" if advice.patch else "")
                + "</li>"
                for advice in finding.advice[:most_advice]
            )
            + "</ol></li>"
            for finding in findings
        )
        self._parts.append(f"<h2>Findings</h2><ul>{items}</ul>")

    def add_lines(self, title: str, lines: Iterable[str]) -> None:
        """Add a list of sentences; nothing if there is none."""
        items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
        if items:
            self._parts.append(f"<h2>{html.escape(title)}</h2><ul>{items}</ul>")

    def to_html(self) -> str:
        """Return the page."""
        self.add_lines("Left out", self._missing)
        return (
            f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{self._title}</title>'
            f"<style>{_STYLE}</style></head><body><h1>{self._title}</h1>{''.join(self._parts)}</body></html>"
        )
