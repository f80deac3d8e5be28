"""Time series: a column of numbers over time, its trend, season and what is left, and what is left that is unusual."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from kernel_tools.core.errors import InvalidDataError, MissingExtraError, TooLargeError
from kernel_tools.core.figures import SERIES_COLORS, new_figure
from kernel_tools.wrangler.analyses.base import Analysis, AnalysisResult, count_rows, finite
from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.operators.base import StepError, pick_column

if TYPE_CHECKING:
    import pandas as pd

MOST_POINTS = 100_000
"""Points of time of a series."""

_UNITS = {
    "second": ("s", "s", 60),
    "minute": ("m", "min", 60),
    "hour": ("h", "h", 24),
    "day": ("D", "D", 7),
    "week": ("W", "W-MON", 52),
    "month": ("M", "MS", 12),
    "quarter": ("Q", "QS", 4),
    "year": ("Y", "YS", None),
}
"""By unit: its name for Ibis and for pandas, and how many make a season."""


class _Series(Analysis):
    """Base: the series, and its decomposition by STL [1]_.

    References
    ----------
    .. [1] R. B. Cleveland et al.: STL: A Seasonal-Trend Decomposition Procedure Based on Loess. Journal of Official
       Statistics 6 (1990).
    """

    time: str = pick_column("date", "datetime", description="When.")
    value: str = pick_column("number", description="What is followed over time.")
    unit: Literal["second", "minute", "hour", "day", "week", "month", "quarter", "year"] | None = Field(
        None, description="Put the rows of each such unit together; none takes every time that occurs as the next step."
    )
    statistic: Literal["mean", "sum", "min", "max", "median"] = Field(
        "mean", description="What the rows of one time come to."
    )
    period: int | None = Field(
        None, ge=2, le=50_000, description="Steps of a season; none takes that of the unit, as 7 of days."
    )
    robust: bool = Field(True, description="Let outliers count for less in trend and season.")

    def check(self, schema: Any) -> None:
        """Ask for a period where none follows from the unit."""
        super().check(schema)
        if self.period is None and (self.unit is None or _UNITS[self.unit][2] is None):
            raise StepError(
                "How many steps make a season? Give the period, or a unit from second to quarter.", field="period"
            )

    def decompose(self, engine: Engine, table: str) -> tuple[pd.DataFrame, int, list[str]]:
        """Return time, observed, trend, season and residual of the series, the rows used, and notes.

        Raises
        ------
        MissingExtraError
            If statsmodels is not installed.
        InvalidDataError
            If there are fewer than two seasons.
        TooLargeError
            If there are more than `MOST_POINTS` times.
        """
        try:
            from statsmodels.tsa.seasonal import STL
        except ImportError as error:
            raise MissingExtraError("statsmodels", "wrangler") from error
        series, n, notes = self._read(engine, table)
        period = self.period or _UNITS[self.unit or "year"][2] or 2
        if len(series) < 2 * period:
            raise InvalidDataError(
                f"The series has {len(series):,} times, fewer than two seasons of {period}. Give a shorter period, "
                "or a smaller unit."
            )
        parts = STL(series.to_numpy(), period=period, robust=self.robust).fit()
        frame = series.rename("observed").rename_axis("time").reset_index()
        return frame.assign(trend=parts.trend, season=parts.seasonal, residual=parts.resid), n, notes

    def _read(self, engine: Engine, table: str) -> tuple[pd.Series[float], int, list[str]]:
        import pandas as pd

        data = engine.table(table)
        when, number = data[self.time].cast("timestamp"), finite(data[self.value])
        known = data.select(time=when.truncate(_UNITS[self.unit][0]) if self.unit else when, value=number)
        known = known.filter(known["time"].notnull(), known["value"].notnull())
        grouped = known.group_by("time").agg(value=getattr(known["value"], self.statistic)(), n=known.count())
        found = engine.arrow(grouped.order_by("time").limit(MOST_POINTS + 1))
        if found.num_rows > MOST_POINTS:
            raise TooLargeError(f"The series has more than {MOST_POINTS:,} times. Give a larger unit.")
        n, total = sum(found["n"].to_pylist()), count_rows(engine, data)
        notes = [f"{total - n:,} rows without a time or value are left out."] if n < total else []
        values = found["value"].to_numpy().astype(float)
        series = pd.Series(values, index=pd.DatetimeIndex(found["time"].to_numpy()), dtype=float)
        if self.unit and len(series):
            span = pd.date_range(series.index[0], series.index[-1], freq=_UNITS[self.unit][1])
            if len(span) > MOST_POINTS:
                raise TooLargeError(f"The series spans more than {MOST_POINTS:,} times. Give a larger unit.")
            gaps = len(span) - len(series)
            if gaps:
                series = series.reindex(span).interpolate()
                notes.append(f"{gaps:,} times without a row are filled by straight lines.")
        return series, n, notes


class Decomposition(_Series):
    """Divide a series into trend, season and residual."""

    kind = "decomposition"
    title = "Time-series decomposition"

    def compute(self, engine: Engine, table: str) -> AnalysisResult:
        """Draw the parts below each other."""
        frame, n, notes = self.decompose(engine, table)
        parts = ["observed", "trend", "season", "residual"]
        figure = new_figure(title=f"{self.value} over {self.time}")
        figure.set_subplots(rows=4, cols=1, shared_xaxes=True, vertical_spacing=0.04)
        for row, part in enumerate(parts, start=1):
            figure.add_scattergl(
                x=frame["time"],
                y=frame[part],
                name=part,
                mode="markers" if part == "residual" else "lines",
                marker={"size": 3},
                line={"width": 1.5},
                marker_color=SERIES_COLORS[row - 1],
                showlegend=False,
                row=row,
                col=1,
            )
            figure.update_yaxes(title_text=part, row=row, col=1)
        figure.update_layout(height=620)
        facts = {"times": len(frame), "seasonal_strength": _strength(frame, "season")}
        facts["trend_strength"] = _strength(frame, "trend")
        return AnalysisResult(figure, frame, facts, True, n, notes)


class Anomalies(_Series):
    """Find times whose residual is more than k standard deviations of all residuals."""

    kind = "anomalies"
    title = "Time-series anomalies"

    k: float = Field(3.0, gt=0, le=100, description="How many standard deviations are unusual.")

    def compute(self, engine: Engine, table: str) -> AnalysisResult:
        """Draw the series with the band of what is usual, and what is outside."""
        frame, n, notes = self.decompose(engine, table)
        sigma = float(frame["residual"].std(ddof=0))
        expected = frame["trend"] + frame["season"]
        frame = frame.assign(expected=expected, score=frame["residual"] / sigma if sigma else 0.0)
        unusual = frame[frame["score"].abs() > self.k]
        figure = new_figure(title=f"Anomalies of {self.value}", x_title=self.time, y_title=self.value)
        for side, fill in ((-1, None), (1, "tonexty")):
            figure.add_scatter(
                x=frame["time"],
                y=expected + side * self.k * sigma,
                mode="lines",
                line={"width": 0},
                fill=fill,
                fillcolor="rgba(86, 180, 233, 0.25)",
                name=f"within {self.k:g} sigma",
                showlegend=side == 1,
                hoverinfo="skip",
            )
        figure.add_scatter(
            x=frame["time"],
            y=frame["observed"],
            mode="lines",
            line={"width": 1.2, "color": SERIES_COLORS[0]},
            name="observed",
        )
        figure.add_scatter(
            x=unusual["time"],
            y=unusual["observed"],
            mode="markers",
            marker={"size": 8, "color": SERIES_COLORS[1]},
            name="anomaly",
        )
        facts = {"times": len(frame), "anomalies": len(unusual), "sigma": sigma}
        return AnalysisResult(figure, unusual.reset_index(drop=True), facts, True, n, notes)


def _strength(frame: pd.DataFrame, part: str) -> float:
    """Return how strong a part is against the residual, from 0 to 1 (Wang, Smith, Hyndman 2006)."""
    whole = float((frame[part] + frame["residual"]).var())
    return max(0.0, 1 - float(frame["residual"].var()) / whole) if whole else 0.0
