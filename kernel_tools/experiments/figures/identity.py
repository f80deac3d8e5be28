"""How runs are told apart in a comparison: a run has the same name and the same colour in all of its figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernel_tools.core.figures import SERIES_COLORS
from kernel_tools.experiments.records import RunRecord

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from kernel_tools.experiments.run import Run

GREY = "#8A8A8A"
"""The colour of the runs for which no colour is left that everybody could tell apart."""
MAX_LABEL = 40


@dataclass(frozen=True, slots=True)
class ShownRun:
    """A run of a comparison with the name and the colour that it has in every figure."""

    run: Run
    record: RunRecord
    label: str
    color: str


def show_runs(runs: Sequence[Run]) -> list[ShownRun]:
    """Return runs with their names, made unique by the ids, and their colours, by their places among the runs."""
    records = [run.record for run in runs]
    labels = label_runs(records)
    return [
        ShownRun(run, record, label, color_of(place))
        for place, (run, record, label) in enumerate(zip(runs, records, labels, strict=True))
    ]


def label_runs(records: Sequence[RunRecord]) -> list[str]:
    """Return names that differ and are short enough for a legend."""
    names = [_shorten(record.name) for record in records]
    return [
        name if names.count(name) == 1 else f"{name} ({record.id[:8]})"
        for name, record in zip(names, records, strict=True)
    ]


def color_of(place: int) -> str:
    """Return the colour of the run at a place, from 0; grey from the ninth on."""
    return SERIES_COLORS[place] if place < len(SERIES_COLORS) else GREY


def note_missing(figure: go.Figure, missing: Sequence[ShownRun], count: int, what: str) -> None:
    """Say in a figure which runs are not in it: their ids as ``layout.meta["missing"]``, their number as a title."""
    figure.update_layout(meta={"missing": [shown.record.id for shown in missing]})
    if missing:
        verb = "has" if len(missing) == 1 else "have"
        text = f"{len(missing)} of {count} runs {verb} no {what}"
        figure.update_layout(title={"text": text, "font": {"size": 12}}, margin={"t": 64})


def _shorten(name: str) -> str:
    return name if len(name) <= MAX_LABEL else f"{name[: MAX_LABEL - 1]}…"
