"""Operators on rows that follow each other in time."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from kernel_tools.wrangler.kinds import kind_of
from kernel_tools.wrangler.operators.base import (
    ROW,
    Operator,
    State,
    StepError,
    hinted,
    in_order,
    pick_column,
    pick_columns,
    values,
    with_columns,
)
from kernel_tools.wrangler.operators.constants import Scalar, constant
from kernel_tools.wrangler.operators.filling import FillDirection, Interpolate
from kernel_tools.wrangler.operators.statistics import frequencies

if TYPE_CHECKING:
    import ibis
    import ibis.expr.types as ir

Unit = Literal["second", "minute", "hour", "day", "week", "month", "quarter", "year"]
_CODES = {"second": "s", "minute": "m", "hour": "h", "day": "D", "week": "W", "month": "M", "quarter": "Q", "year": "Y"}
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}

Statistic = Literal["mean", "sum", "min", "max", "std", "count", "first", "last", "median"]


class SeriesOperator(Operator):
    """Base of the operators on series: rows in the order of a column, within groups."""

    family = "time series"

    order_by: str = pick_column(description="What orders the rows: the time.")
    group_by: list[str] = pick_columns(default=[], minimum=0, description="What tells the series apart.")

    def _window(self, table: ir.Table, **frame: Any) -> Any:
        import ibis

        groups = [table[name] for name in self.group_by]
        return ibis.window(group_by=groups, order_by=[table[self.order_by], table[ROW]], **frame)

    def _of_each(self) -> str:
        return f" for each {', '.join(self.group_by)}" if self.group_by else ""


class Lag(SeriesOperator):
    """Add the values of earlier rows: a column for each lag. The first rows of a series have none."""

    op = "lag"
    title = "Lag features"

    columns: list[str] = pick_columns(description="The columns to look back at.")
    periods: list[int] = Field(
        [1], min_length=1, max_length=100, description="How many rows back; negative looks ahead."
    )
    drop_without_history: bool = Field(False, description="Remove the rows that have no earlier ones.")

    def sentence(self) -> str:
        """Name the lags."""
        return f"Add {', '.join(self.columns)} of {', '.join(map(str, self.periods))} rows before{self._of_each()}"

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Look back in a window."""

        def lagged(table: ir.Table) -> ir.Table:
            window = self._window(table)
            new = {}
            for name in self.columns:
                for period in self.periods:
                    back = table[name].lag(period) if period >= 0 else table[name].lead(-period)
                    new[f"{name}_lag{period}"] = back.over(window)
            found = with_columns(table, new)
            if not self.drop_without_history:
                return found
            first, last = max(0, *self.periods), max(0, *(-period for period in self.periods))
            import ibis

            place = ibis.row_number().over(window)
            count = found[ROW].count().over(ibis.window(group_by=[found[name] for name in self.group_by]))
            marked = found.mutate(place__=place, count__=count)
            kept = marked.filter((marked.place__ >= first) & (marked.place__ < marked.count__ - last))
            return kept.drop("place__", "count__")

        return in_order(tables[0], lagged)


class Rolling(SeriesOperator):
    """Add statistics of the last rows, the present one included. std has the divisor n - 1."""

    op = "rolling"
    title = "Rolling window features"

    columns: list[str] = pick_columns("number", description="The columns.")
    window: int = Field(7, ge=1, le=100_000, description="How many rows.")
    statistics: list[Literal["mean", "sum", "min", "max", "std", "count"]] = Field(
        ["mean"], min_length=1, description="What is computed."
    )
    minimum_rows: int = Field(
        1, ge=1, description="Rows with a value that it takes; with fewer, the result is missing."
    )

    def sentence(self) -> str:
        """Name the statistics."""
        return f"Add {', '.join(self.statistics)} of {', '.join(self.columns)} over {self.window} rows{self._of_each()}"

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Compute in a window."""
        import ibis

        def rolled(table: ir.Table) -> ir.Table:
            window = self._window(table, preceding=self.window - 1, following=0)
            new = {}
            for name in self.columns:
                column = table[name].cast("float64")
                count = column.count().over(window)
                for statistic in self.statistics:
                    found = count if statistic == "count" else _statistic(column, statistic).over(window)
                    key = f"{name}_{statistic}{self.window}"
                    new[key] = found if self.minimum_rows == 1 else ibis.ifelse(count >= self.minimum_rows, found, None)
            return with_columns(table, new)

        return in_order(tables[0], rolled)


class Resample(Operator):
    """Bring a series to another rhythm: one row for each period that has rows, with a statistic of each column.

    A period is named by its start. The rows are sorted by group and time.
    """

    op = "resample"
    title = "Resample"
    family = "time series"
    row_effect = "other"

    time: str = pick_column("datetime", "date", description="The time.")
    unit: Unit = Field("day", description="How long a period is.")
    columns: list[str] = pick_columns("number", description="The columns.")
    statistic: Statistic = Field("mean", description="What becomes of the rows of a period.")
    group_by: list[str] = pick_columns(default=[], minimum=0, description="What tells the series apart.")

    def sentence(self) -> str:
        """Name the rhythm."""
        return f"Take the {self.statistic} of {', '.join(self.columns)} for each {self.unit}"

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Truncate and aggregate."""
        import ibis

        table = tables[0].mutate(**{ROW: ibis.row_number()})
        start = table[self.time].truncate(_CODES[self.unit])
        keyed = with_columns(table, {self.time: start.cast(table[self.time].type())})
        columns = {name: _aggregate(keyed, name, self.statistic) for name in self.columns}
        found = keyed.group_by([*self.group_by, self.time]).agg(**columns)
        return found.order_by([*self.group_by, self.time])


class DatetimeRange(Operator):
    """Add a column of moments at even distances, from a start on: one for each row, in the order of the rows."""

    op = "datetime_range"
    title = "Datetime range"
    family = "time series"

    new_column: str = hinted("new_column", min_length=1, description="What the column is called.")
    start: str = Field(description="The first moment, as in 2024-01-31 or 2024-01-31T12:00:00.")
    every: int = Field(1, ge=1, le=1_000_000, description="How many units lie between two rows.")
    unit: Literal["second", "minute", "hour", "day", "week"] = Field("day", description="The unit.")

    def sentence(self) -> str:
        """Name the rhythm."""
        return f"Add {self.new_column}: every {self.every} {self.unit} from {self.start}"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse a start that is no moment."""
        self._start()

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Add seconds to the start."""
        import ibis

        first = int((self._start() - datetime(1970, 1, 1)).total_seconds())
        seconds = ibis.row_number().cast("int64") * (self.every * _SECONDS[self.unit]) + first
        return with_columns(tables[0], {self.new_column: seconds.as_timestamp("s").cast("timestamp(6)")})

    def _start(self) -> datetime:
        try:
            return datetime.fromisoformat(self.start).replace(tzinfo=None)
        except ValueError as error:
            raise StepError(f"{self.start!r} is no moment. Write it as 2024-01-31T12:00:00.", field="start") from error


class StandardizeLength(SeriesOperator):
    """Cut long series and fill up short ones, so that all have the same number of rows.

    The number is a quantile of the lengths, learned once. Series are cut at their end; rows that are added hold the
    group and otherwise nothing.
    """

    op = "standardize_length"
    title = "Standardize length"
    row_effect = "other"
    learns = True

    group_by: list[str] = pick_columns(description="What tells the series apart.")
    quantile: float = Field(0.9, gt=0, le=1, description="The quantile of the lengths that all get.")

    def sentence(self) -> str:
        """Name the quantile."""
        return f"Bring all series of {', '.join(self.group_by)} to the same length"

    def learn(self, *tables: ir.Table) -> State:
        """Return the length."""
        lengths = tables[0].group_by(self.group_by).agg(n=lambda t: t.count())
        found = values(lengths, length=lengths.n.cast("float64").quantile(self.quantile))["length"]
        return {"length": max(1, round(found or 1))}

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Number the rows of each series, and join the numbers that are missing."""
        import ibis

        length = int(state["length"])
        table = tables[0].mutate(**{ROW: ibis.row_number()})
        placed = table.mutate(place__=ibis.row_number().over(self._window(table)).cast("int64"))
        placed = placed.filter(placed.place__ < length).drop(ROW)
        series = table.group_by(self.group_by).agg(first__=table[ROW].min())
        wanted = series.mutate(place__=ibis.range(0, length).unnest().cast("int64"))
        keys = [wanted[name].identical_to(placed[name]) for name in self.group_by]
        joined = wanted.left_join(placed, [*keys, wanted.place__ == placed.place__], rname="{name}_right__")
        ordered = joined.order_by(["first__", "place__"])
        return ordered.select(*tables[0].columns)


class ExtractFeatures(Operator):
    """Describe each series by numbers: one row for each group, with features of each column.

    ``minimal`` computes eight on the engine: sum, mean, median, length, standard deviation and variance (divisor n),
    minimum, maximum. ``efficient`` and ``all`` are those of tsfresh [1]_, which is an extra.

    References
    ----------
    .. [1] M. Christ et al.: Time series feature extraction on basis of scalable hypothesis tests. Neurocomputing 307
       (2018).
    """

    op = "extract_features"
    title = "Extract features of series"
    family = "time series"
    row_effect = "other"

    columns: list[str] = pick_columns("number", description="The columns to describe.")
    group_by: list[str] = pick_columns(description="What tells the series apart.")
    order_by: str | None = pick_column(default=None, description="The time; for efficient and all.")
    features: Literal["minimal", "efficient", "all"] = Field("minimal", description="How many features.")

    @property
    def is_eager(self) -> bool:
        """The library works on frames."""
        return self.features != "minimal"

    def sentence(self) -> str:
        """Name the groups."""
        return f"Describe {', '.join(self.columns)} of each {', '.join(self.group_by)} by {self.features} features"

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Aggregate."""
        table, new = tables[0], dict[str, Any]()
        for name in self.columns:
            column = table[name].cast("float64")
            new |= {
                f"{name}_sum": column.sum(),
                f"{name}_mean": column.mean(),
                f"{name}_median": column.median(),
                f"{name}_length": column.count(),
                f"{name}_std": column.std(how="pop"),
                f"{name}_var": column.var(how="pop"),
                f"{name}_min": column.min(),
                f"{name}_max": column.max(),
            }
        return table.group_by(self.group_by).agg(**new).order_by(self.group_by)

    def apply(self, *frames: Any, state: State) -> Any:
        """Ask tsfresh."""
        from kernel_tools.core.errors import MissingExtraError

        try:
            from tsfresh import extract_features
            from tsfresh.feature_extraction import ComprehensiveFCParameters, EfficientFCParameters
        except ImportError as error:
            raise MissingExtraError("tsfresh", "tsfresh") from error
        frame = frames[0].dropna(subset=[*self.columns]).copy()
        groups = frame.groupby(self.group_by, dropna=False)
        frame["id__"] = groups.ngroup()
        kept = frame[["id__", *([self.order_by] if self.order_by else []), *self.columns]]
        kept = kept.astype({name: "float64" for name in self.columns})
        wanted = EfficientFCParameters() if self.features == "efficient" else ComprehensiveFCParameters()
        found = extract_features(
            kept,
            column_id="id__",
            column_sort=self.order_by,
            default_fc_parameters=wanted,
            disable_progressbar=True,
            n_jobs=0,
        )
        keys = groups[self.group_by].first().reset_index(drop=True)
        return keys.join(found)

    def code(self, *variables: str, state: State) -> list[str]:
        """Ask tsfresh."""
        return [
            "from tsfresh import extract_features",
            f"{variables[0]} = extract_features(",
            f"    {variables[0]}, column_id={self.group_by[0]!r}, column_sort={self.order_by!r}",
            ")",
        ]


class FillTimeSeries(SeriesOperator):
    """Fill what is missing in series: with a constant, the most frequent value, or from the neighbours in time."""

    op = "fill_time_series"
    title = "Fill time series"
    learns = True

    columns: list[str] = pick_columns(description="The columns to fill.")
    method: Literal["constant", "most_frequent", "forward", "backward", "interpolate"] = Field(
        "forward", description="What is filled in."
    )
    value: Scalar | None = Field(None, description="The constant.")

    def sentence(self) -> str:
        """Name the method."""
        return f"Fill {', '.join(self.columns)} ({self.method.replace('_', ' ')}){self._of_each()}"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse no constant, and straight lines through what is no number."""
        super().check(*schemas)
        for name in self.columns:
            if self.method == "constant":
                if self.value is None:
                    raise StepError("Say what to fill in.", field="value")
                constant(self.value, schemas[0][name], name, field="value")
            if self.method == "interpolate" and kind_of(schemas[0][name]) != "number":
                raise StepError(f"{name!r} holds no numbers: take forward or backward.", field="method")

    def learn(self, *tables: ir.Table) -> State:
        """Return the most frequent values, where they are asked for."""
        if self.method != "most_frequent":
            return {}
        found = frequencies(tables[0], self.columns, 1)
        return {"values": {name: counts[0][0] if counts else None for name, counts in found.items()}}

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """As the operators for each method."""
        table = tables[0]
        if self.method == "constant":
            assert self.value is not None
            filled = {name: constant(self.value, table.schema()[name], name, field="value") for name in self.columns}
            return with_columns(table, {name: table[name].fill_null(value) for name, value in filled.items()})
        if self.method == "most_frequent":
            found = state["values"]
            return table.mutate(
                **{name: table[name].fill_null(found[name]) for name in self.columns if found[name] is not None}
            )
        if self.method == "interpolate":
            can_be_line = kind_of(table.schema()[self.order_by]) in ("number", "datetime", "date")
            place: dict[str, Any] = {"along": self.order_by} if can_be_line else {"order_by": [self.order_by]}
            return Interpolate(columns=self.columns, partition_by=self.group_by, **place).build(table, state={})
        direction = FillDirection(
            columns=self.columns, direction=self.method, order_by=[self.order_by], partition_by=self.group_by
        )
        return direction.build(table, state={})


class ValidateTimestamps(Operator):
    """Find text that is no moment of a format: mark it in a new column, or remove its rows."""

    op = "validate_timestamps"
    title = "Validate timestamps"
    family = "time series"
    row_effect = "subset"

    column: str = pick_column("string", description="The column.")
    format: str = Field("", description="The format in strptime's codes, as in %d.%m.%Y; none means ISO 8601.")
    action: Literal["flag", "remove"] = Field("flag", description="What is done with rows that are no moments.")

    def sentence(self) -> str:
        """Name the column."""
        verb = "Mark" if self.action == "flag" else "Remove"
        return f"{verb} rows where {self.column} is no timestamp"

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Parse and look what is missing."""
        from kernel_tools.wrangler.operators.conversions import ParseDatetime

        table = tables[0]
        parsed = table.mutate(parsed__=table[self.column])
        parsed = ParseDatetime(columns=["parsed__"], format=self.format or None, unit="s", to="datetime").build(
            parsed, state={}
        )
        is_valid = parsed.parsed__.notnull()
        if self.action == "remove":
            return parsed.filter(is_valid).drop("parsed__")
        return with_columns(parsed, {f"{self.column}_is_valid": is_valid}).drop("parsed__")


def _statistic(column: Any, statistic: str) -> Any:
    return column.std(how="sample") if statistic == "std" else getattr(column, statistic)()


def _aggregate(table: ir.Table, name: str, statistic: str) -> Any:
    column = table[name]
    if statistic in ("first", "last"):
        return getattr(column, statistic)(order_by=table[ROW])
    return _statistic(column.cast("float64") if statistic in ("mean", "median", "std") else column, statistic)
