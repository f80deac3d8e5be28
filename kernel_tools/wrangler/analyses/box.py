"""Box: the quartiles of a column of numbers, of all rows or of each group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import Field

from kernel_tools.wrangler.analyses.axes import DRAWN, make_categories
from kernel_tools.wrangler.analyses.base import Analysis, AnalysisResult, count_rows, finite, read_rows
from kernel_tools.wrangler.analyses.panels import MOST_PANELS, Panels, color_of, group_notes
from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.operators.base import pick_column

MOST_OUTLIERS = 200
"""Different values outside the whiskers that a box shows: those farthest out."""


@dataclass(frozen=True)
class _Box:
    figures: dict[str, Any]
    outliers: list[float]
    series: int
    panel: int


class Box(Analysis):
    """Draw quartiles (interpolated), whiskers, mean and outliers.

    A whisker ends at the farthest value within 1.5 times the distance of the quartiles from its quartile, as Tukey's
    do; what lies beyond is an outlier.
    """

    kind = "box"
    title = "Box"

    column: str = pick_column("number", description="The numbers.")
    by: str | None = pick_column(*DRAWN, default=None, description="A box for each value of this column.")
    facet: str | None = pick_column(*DRAWN, default=None, description="A panel for each value of this column.")
    most: int = Field(20, ge=1, le=100, description="At most so many boxes; all other rows share one.")

    def compute(self, engine: Engine, table: str) -> AnalysisResult:
        """Compute the quartiles of all groups by one query, then whiskers and outliers by another."""
        import pandas as pd

        whole = engine.table(table)
        total = count_rows(engine, whole)
        data = whole.mutate(__value__=finite(whole[self.column]))
        data = data.filter(data["__value__"].notnull())
        by = make_categories(engine, data, self.by, self.most) if self.by else None
        facet = make_categories(engine, data, self.facet, MOST_PANELS) if self.facet else None
        boxes = self._boxes(engine, data, by, facet)
        panels = Panels(f"{self.column} by {self.by}" if self.by else self.column, self.by or "", self.column, facet)
        for box in boxes:
            row, series = box.figures, box.series
            color = color_of(by, 0 if by and series not in (by.other, by.missing) else series)
            name = by.labels[series] if by else self.column
            at = panels.at(box.panel)
            panels.figure.add_box(
                x=[name],
                q1=[row["q1"]],
                median=[row["median"]],
                q3=[row["q3"]],
                lowerfence=[row["lower"]],
                upperfence=[row["upper"]],
                mean=[row["mean"]],
                name=name,
                marker_color=color,
                showlegend=False,
                **at,
            )
            panels.figure.add_scatter(
                x=[name] * len(box.outliers),
                y=box.outliers,
                mode="markers",
                marker={"size": 4, "color": color, "symbol": "circle-open"},
                name=f"{name}: outliers",
                showlegend=False,
                **at,
            )
        panels.figure.update_xaxes(type="category", categoryorder="array", categoryarray=by.labels if by else None)
        rows = [box.figures for box in boxes]
        n = sum(row["n"] for row in rows)
        notes = [*group_notes(by, "Boxes"), *group_notes(facet, "Panels")]
        if n < total:
            notes.append(f"{total - n:,} rows without a finite value of {self.column} are not drawn.")
        if any(row["outliers"] > MOST_OUTLIERS for row in rows):
            notes.append(f"Of a box's outliers the {MOST_OUTLIERS} different values farthest out are drawn.")
        frame = pd.DataFrame(rows)
        outside = int(frame["outliers"].sum()) if len(frame) else 0
        return AnalysisResult(panels.figure, frame, {"rows": total, "drawn": n, "outliers": outside}, True, n, notes)

    def _boxes(self, engine: Engine, data: Any, by: Any, facet: Any) -> list[_Box]:
        import ibis

        value = data["__value__"]
        keys = {
            "series": by.key if by else ibis.literal("all"),
            "panel": facet.key if facet else ibis.literal("all"),
        }
        quartiles = {"q1": value.quantile(0.25), "median": value.median(), "q3": value.quantile(0.75)}
        boxes = data.group_by(**keys).agg(
            n=data.count(), mean=value.mean(), minimum=value.min(), maximum=value.max(), **quartiles
        )
        name = engine.new_name("boxes")
        boxes = engine.register(engine.arrow(boxes), name)
        try:
            return self._with_outliers(engine, data.select(value=value, **keys), boxes, by, facet)
        finally:
            engine.connection.unregister(name)

    def _with_outliers(self, engine: Engine, keyed: Any, boxes: Any, by: Any, facet: Any) -> list[_Box]:
        import ibis

        same = [keyed[key].identical_to(boxes[key]) for key in ("series", "panel")]
        joined = keyed.join(boxes, same, lname="", rname="{name}_right")
        width = 1.5 * (joined["q3"] - joined["q1"])
        is_inside = joined["value"].between(joined["q1"] - width, joined["q3"] + width)
        whiskers = joined.group_by("series", "panel").agg(
            lower=joined["value"].min(where=is_inside),
            upper=joined["value"].max(where=is_inside),
            outliers=(~is_inside).sum(),
        )
        ends = {(row["series"], row["panel"]): row for row in read_rows(engine, whiskers)}
        far = joined.filter(~is_inside)
        distance = (far["value"] - far["median"]).abs()
        far = far.select("series", "panel", "value", distance=distance).distinct()
        place = ibis.row_number().over(
            ibis.window(group_by=["series", "panel"], order_by=[ibis.desc("distance"), ibis.asc("value")])
        )
        far = far.mutate(place=place)
        points: dict[Any, list[float]] = {}
        for row in read_rows(engine, far.filter(far["place"] < MOST_OUTLIERS)):
            points.setdefault((row["series"], row["panel"]), []).append(row["value"])
        found = []
        for row in read_rows(engine, boxes):
            key = (row.pop("series"), row.pop("panel"))
            end = ends[key]
            names: dict[str | None, Any] = {self.facet: facet.labels[facet.places([key[1]])[0]]} if facet else {}
            names |= {self.by: by.labels[by.places([key[0]])[0]]} if by else {}
            found.append(
                _Box(
                    {
                        **{str(name): label for name, label in names.items()},
                        **row,
                        "lower": end["lower"],
                        "upper": end["upper"],
                        "outliers": end["outliers"],
                    },
                    sorted(points.get(key, [])),
                    series=int(by.places([key[0]])[0]) if by else 0,
                    panel=int(facet.places([key[1]])[0]) if facet else 0,
                )
            )
        return sorted(found, key=lambda box: (box.panel, box.series))
