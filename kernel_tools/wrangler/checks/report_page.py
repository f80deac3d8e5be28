"""The report of the checks as one HTML page that needs nothing else, and as a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from kernel_tools.core.notebooks import code_cell, notebook_of, text_cell
from kernel_tools.wrangler.checks import figures
from kernel_tools.wrangler.checks.checking import definition_of
from kernel_tools.wrangler.checks.finding import Finding, Report, call_of, suggestions_html
from kernel_tools.wrangler.checks.scope import number

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from kernel_tools.wrangler.profiling import ColumnProfile

_STYLE = (
    "body{font-family:system-ui,sans-serif;max-width:960px;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse}td,th{padding:.25rem .75rem .25rem 0;text-align:left;vertical-align:top}"
    "td.number,th.number{text-align:right;font-variant-numeric:tabular-nums}h2{margin-top:2rem}p{max-width:75ch}"
    "li{margin:.4rem 0}code{background:#f2f2f2;padding:0 .2rem}.severity{font-weight:600}"
    ".high{color:#a33b00}.medium{color:#7a5200}.low{color:#005a8c}.wide{overflow-x:auto}"
)
_DRAWN = frozenset({"outliers", "skew", "disguised_missing", "frequent_label", "class_imbalance"})
"""Checks whose findings are shown with the values of their column."""

MOST_DRAWN = 12


def report_page(report: Report, profiles: Sequence[ColumnProfile], *, title: str = "Data quality and insights") -> str:
    """Return the report as HTML.

    Parameters
    ----------
    report
        What the checks have found.
    profiles
        Of the columns of the same table, from `kernel_tools.wrangler.profiling.profile`.
    title
        What it is about; escaped, as everything from the data is.
    """
    page = _Page()
    page.add(f"<h1>{escape(title)}</h1><p>{escape(report.summary())}</p>")
    page.add(_findings(report))
    if report.target is not None:
        _add_target(page, report, profiles)
    page.add("<h2>Columns</h2>")
    page.add_figure(figures.completeness(profiles))
    page.add(_columns(profiles))
    by_name = {found.name: found for found in profiles}
    drawn = dict.fromkeys(finding.columns[0] for finding in report if finding.check in _DRAWN)
    for name in [name for name in drawn if name in by_name][:MOST_DRAWN]:
        page.add(f"<h3>{escape(name)}</h3>")
        page.add_figure(figures.column_values(by_name[name]))
    page.add(_checks(report))
    return page.to_html(title)


class _Page:
    """Gathers parts; the first figure brings Plotly with it."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._has_figure = False

    def add(self, part: str) -> None:
        self._parts.append(part)

    def add_figure(self, figure: go.Figure) -> None:
        figure.update_layout(height=max(360, figure.layout.height or 0))
        options: dict[str, Any] = {"displayModeBar": False}
        self.add(figure.to_html(full_html=False, include_plotlyjs=not self._has_figure, config=options))
        self._has_figure = True

    def to_html(self, title: str) -> str:
        return (
            f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
            f"<style>{_STYLE}</style></head><body>{''.join(self._parts)}</body></html>"
        )


def _findings(report: Report) -> str:
    items = "".join(
        f"<li><span class='severity {finding.severity}'>{finding.severity}</span> <b>{escape(finding.title)}</b>: "
        f"{escape(finding.message)}{_extent(finding)}{suggestions_html(finding)}</li>"
        for finding in report
    )
    return f"<h2>Findings</h2><ul>{items}</ul>" if items else "<h2>Findings</h2><p>The checks have found nothing.</p>"


def _extent(finding: Finding) -> str:
    return "" if finding.exact else f" <small>(≈ from {finding.n:,} rows or values)</small>"


def _add_target(page: _Page, report: Report, profiles: Sequence[ColumnProfile]) -> None:
    page.add(f"<h2>Target: {escape(str(report.target))}</h2>")
    for found in profiles:
        if found.name == report.target and found.count:
            page.add_figure(figures.column_values(found))
    if report.power:
        extent = "all rows" if report.power[0].is_exact else f"{report.power[0].n:,} rows taken by chance"
        page.add(f"<h3>Predictive power</h3><p>Of each column alone, measured on {extent}.</p>")
        page.add_figure(figures.predictive_powers(report.power))
    model = report.quick_model
    if model is None:
        return
    head = "<th>metric</th><th class='number'>quick model</th><th class='number'>without columns</th>"
    rows = [(name, model.metrics[name], model.baseline[name]) for name in model.metrics]
    page.add(
        f"<h3>Quick model</h3><p>XGBoost with its defaults, trained on {model.rows_train:,} rows and tested on "
        f"{model.rows_test:,} others.</p>{_table(head, rows)}"
    )
    if model.confusion:
        page.add_figure(figures.confusion(model))


def _columns(profiles: Sequence[ColumnProfile]) -> str:
    names = ("column", "type", "missing", "invalid", "distinct", "minimum", "mean", "median", "maximum")
    head = "".join(f"<th{' class=number' if place > 1 else ''}>{name}</th>" for place, name in enumerate(names))
    rows = [
        (
            found.name,
            found.type,
            found.missing,
            found.invalid,
            found.distinct,
            found.minimum,
            found.mean,
            found.quantiles.get("0.5"),
            found.maximum,
        )
        for found in profiles
    ]
    return f"<div class='wide'>{_table(head, rows)}</div>"


def _checks(report: Report) -> str:
    items = "".join(
        f"<li><b>{escape(state.title)}</b> ({escape(state.skipped) or f'{state.findings} findings'}): "
        f"{escape(definition_of(state.check))}</li>"
        for state in report.checks
    )
    return f"<h2>What was looked for</h2><ul>{items}</ul>"


def _table(head: str, rows: Sequence[Sequence[Any]]) -> str:
    body = "".join(f"<tr>{''.join(_cell(value) for value in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"<td class='number'>{number(value)}</td>"
    return f"<td>{'' if value is None else escape(str(value)[:60])}</td>"


def report_notebook(report: Report, source: str) -> dict[str, Any]:
    """Return the report as a notebook (nbformat 4.5) that computes it anew and has a recipe of the suggested steps.

    Parameters
    ----------
    report
        What the checks have found.
    source
        The path or address of the table, as `kernel_tools.wrangler.read` takes it.
    """
    target = f", target={report.target!r}" if report.target is not None else ""
    steps = _recipe_steps(report)
    recipe = "\n".join(
        [f"recipe = kt.wrangler.read({source!r})", *(f"recipe = recipe{step}" for step in steps), "recipe"]
    )
    listed = "\n".join(f"- **{finding.severity}** {_markdown(finding.message)}" for finding in report)
    cells = [
        text_cell("# Data quality and insights\n\n" + _markdown(report.summary())),
        code_cell("import kernel_tools as kt"),
        code_cell(f"kt.wrangler.profile({source!r})"),
        code_cell(f"report = kt.wrangler.insights({source!r}{target})\nreport"),
        text_cell("## What was found\n\n" + (listed or "Nothing.")),
        text_cell("## The steps that were suggested\n\nThe first one of each finding; leave out what does not fit."),
        code_cell(recipe),
    ]
    return notebook_of(cells)


def _recipe_steps(report: Report) -> list[str]:
    """Return the first suggestion of each finding as a call, no column twice and none after it was dropped."""
    dropped: set[str] = set()
    steps: dict[str, None] = {}
    for finding in report:
        touched = set(finding.columns)
        if not finding.suggestions or touched & dropped or report.target in touched:
            continue
        first = finding.suggestions[0]
        steps[call_of(first)] = None
        if first.op == "drop":
            dropped |= set(first.params["columns"])
    return list(steps)


def _markdown(text: str) -> str:
    for sign in "\\`*_[]<>$":
        text = text.replace(sign, f"\\{sign}")
    return text
