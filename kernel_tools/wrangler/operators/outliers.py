"""The operator for outliers: limits that are learned once, and what is done with values beyond them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from kernel_tools.wrangler.operators.base import Operator, State, StepError, pick_columns, values

if TYPE_CHECKING:
    import ibis
    import ibis.expr.types as ir


class Outliers(Operator):
    """Clip, remove or make missing what lies beyond limits.

    The limits are learned once and kept. ``standard``: mean ± `deviations` standard deviations (population).
    ``robust``: the same with the median and the standard deviation of the values clipped to the two quantiles.
    ``quantile``: the two quantiles (interpolated). ``min_max``: `minimum` and `maximum` as given. Missing values are no
    outliers.
    """

    op = "outliers"
    title = "Handle outliers"
    family = "outliers"
    row_effect = "subset"
    learns = True

    columns: list[str] = pick_columns("number", description="The columns to look at.")
    method: Literal["standard", "robust", "quantile", "min_max"] = Field("robust", description="How limits are found.")
    action: Literal["clip", "remove", "null"] = Field(
        "clip", description="What is done: the rows are removed by remove."
    )
    deviations: float = Field(4.0, gt=0, description="How many standard deviations the limits lie from the middle.")
    lower_quantile: float = Field(0.05, ge=0, le=1, description="The lower quantile, for robust and quantile.")
    upper_quantile: float = Field(0.95, ge=0, le=1, description="The upper quantile, for robust and quantile.")
    minimum: float | None = Field(None, description="The lower limit, for min_max; none means no limit.")
    maximum: float | None = Field(None, description="The upper limit, for min_max; none means no limit.")

    def sentence(self) -> str:
        """Name the columns and the limits."""
        verb = {"clip": "Clip", "remove": "Remove rows with", "null": "Make missing"}[self.action]
        limits = {
            "standard": f"{self.deviations:g} standard deviations",
            "robust": f"{self.deviations:g} robust deviations",
            "quantile": f"quantiles {self.lower_quantile:g} and {self.upper_quantile:g}",
            "min_max": f"{'-∞' if self.minimum is None else f'{self.minimum:g}'} to "
            f"{'∞' if self.maximum is None else f'{self.maximum:g}'}",
        }[self.method]
        return f"{verb} outliers of {', '.join(self.columns)} beyond {limits}"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse limits in the wrong order, and none."""
        super().check(*schemas)
        if self.method in ("robust", "quantile") and self.lower_quantile >= self.upper_quantile:
            raise StepError("The lower quantile has to be below the upper one.", field="lower_quantile")
        if self.method == "min_max":
            if self.minimum is None and self.maximum is None:
                raise StepError("Give a minimum, a maximum or both.", field="minimum")
            if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
                raise StepError("The minimum has to be below the maximum.", field="minimum")

    def learn(self, *tables: ir.Table) -> State:
        """Return the limits of each column."""
        table = tables[0]
        if self.method == "min_max":
            return {"limits": {name: [self.minimum, self.maximum] for name in self.columns}}
        numbers = {name: table[name].cast("float64") for name in self.columns}
        wanted = {}
        for i, column in enumerate(numbers.values()):
            if self.method == "standard":
                wanted[f"middle_{i}"], wanted[f"width_{i}"] = column.mean(), column.std(how="pop")
            else:
                wanted[f"low_{i}"] = column.quantile(self.lower_quantile)
                wanted[f"high_{i}"] = column.quantile(self.upper_quantile)
                wanted[f"middle_{i}"] = column.median()
        found = values(table, **wanted)
        if self.method == "robust":
            clipped = {
                f"width_{i}": column.clip(found[f"low_{i}"], found[f"high_{i}"]).std(how="pop")
                for i, column in enumerate(numbers.values())
                if found[f"low_{i}"] is not None
            }
            found.update(values(table, **clipped) if clipped else {})
        limits: dict[str, list[float | None]] = {}
        for i, name in enumerate(self.columns):
            if self.method == "quantile":
                limits[name] = [found[f"low_{i}"], found[f"high_{i}"]]
                continue
            middle, width = found[f"middle_{i}"], found.get(f"width_{i}")
            reach = None if width is None else self.deviations * width
            limits[name] = [None, None] if middle is None or reach is None else [middle - reach, middle + reach]
        return {"limits": limits}

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Clip or compare with the limits."""
        import ibis

        table, changed = tables[0], {}
        for name in self.columns:
            low, high = state["limits"][name]
            if low is None and high is None:
                continue
            column = table[name]
            beyond = [column < low] if low is not None else []
            beyond += [column > high] if high is not None else []
            is_beyond = beyond[0] if len(beyond) == 1 else beyond[0] | beyond[1]
            if self.action == "clip":
                wide = column.cast("float64")
                branches = [(column < low, ibis.literal(float(low)))] if low is not None else []
                branches += [(column > high, ibis.literal(float(high)))] if high is not None else []
                changed[name] = ibis.cases(*branches, else_=wide)
            elif self.action == "null":
                changed[name] = ibis.ifelse(is_beyond, ibis.null(column.type()), column)
            else:
                table = table.filter(~is_beyond.fill_null(False))
        return table.mutate(**changed) if changed else table


class ReplaceRare(Operator):
    """Replace categories that are rare by one word. Which are common is learned once; new ones count as rare."""

    op = "replace_rare"
    title = "Replace rare categories"
    family = "categories"
    learns = True

    columns: list[str] = pick_columns("string", description="The columns to look at.")
    minimum_count: int = Field(1, ge=1, description="Rows that a common category has at least.")
    minimum_share: float = Field(0.01, ge=0, le=1, description="Share of the rows with a value that it has at least.")
    most: int = Field(100, ge=1, le=1000, description="The most common categories that are kept, by frequency.")
    replacement: str = Field("other", description="What the rare ones become.")

    def sentence(self) -> str:
        """Name the columns."""
        return f"Replace rare values of {', '.join(self.columns)} by {self.replacement!r}"

    def learn(self, *tables: ir.Table) -> State:
        """Return the common categories of each column."""
        from kernel_tools.wrangler.operators.encoding import category_counts

        common = {}
        for name, counts in category_counts(tables[0], self.columns, self.most).items():
            total = counts.total
            least = max(self.minimum_count, self.minimum_share * total)
            common[name] = [value for value, count in counts.items if count >= least]
        return {"common": common}

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Compare with the common ones."""
        import ibis

        table, changed = tables[0], {}
        for name in self.columns:
            column, common = table[name], state["common"][name]
            is_common = column.isin(common) if common else ibis.literal(False)
            changed[name] = ibis.ifelse(column.isnull() | is_common, column, self.replacement)
        return table.mutate(**changed)
