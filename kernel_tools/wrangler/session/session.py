"""The methods of a session: what a request to its process may ask for. All parameters and results are plain values.

A session knows one recipe at a time, the one that `update` was last given; tables are found by the hashes of its steps,
so an older view stays good as long as its table is kept.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernel_tools.core.errors import AtelierError, InvalidArgumentError, NotFoundError
from kernel_tools.wrangler.document import RecipeDocument
from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.graph import ordered, part, validate_graph
from kernel_tools.wrangler.session import reports
from kernel_tools.wrangler.session.tables import Computed, Tables
from kernel_tools.wrangler.session.task import Task
from kernel_tools.wrangler.session.windows import CHANGED, View, arrange, cell, column_types, window
from kernel_tools.wrangler.states import decode_state

if TYPE_CHECKING:
    import pyarrow as pa

    from kernel_tools.wrangler.checks import Report
    from kernel_tools.wrangler.lowering.forms import Form

KEPT_VIEWS = 32
"""Views that are kept, those that were looked at last."""


class Session:
    """A recipe, the tables of its steps, and the views of them that somebody looks at."""

    METHODS = frozenset({"update", "view", "arrange", "window", "cell", "profile", "compare", "fit", "insights",
                         "analyze", "export", "code", "source", "translate",
                         "report"})  # fmt: skip

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="atelier-wrangler-"))
        self._engine = Engine(self._folder / "session.duckdb")
        self._tables = Tables(self._engine)
        self._document = RecipeDocument()
        self._base = Path.cwd()
        self._is_trusted = False
        self._views: OrderedDict[str, View] = OrderedDict()
        self._views_lock = threading.Lock()
        self._reports: dict[str, tuple[Report, str]] = {}
        self._profiles: dict[tuple[str, str], dict[str, Any]] = {}

    def close(self) -> None:
        """Close the database and remove its files."""
        self._engine.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def update(self, task: Task, document: dict[str, Any], base: str, is_trusted: bool) -> dict[str, Any]:
        """Take another state of the recipe, and say of each source and step what it gives on the first rows.

        Parameters
        ----------
        document
            The recipe, as in its file.
        base
            The folder that relative paths start at.
        is_trusted
            Whether steps that run somebody's code may run.

        Returns
        -------
        dict
            ``parts``: what is known of each source and step, in their order; see `reports`.
        """
        recipe = RecipeDocument.model_validate(document)
        validate_graph(recipe)
        self._document, self._base, self._is_trusted = recipe, Path(base), is_trusted
        known: dict[str, dict[str, Any]] = {}
        for source in recipe.sources:
            report = known[source.id] = reports.source_report(source)
            self._try(task, source.id, report)
            loaded = self._tables.loaded(recipe, source.id, is_whole=False)
            if loaded is not None:
                report["warnings"], report["rejected"] = loaded.warnings, loaded.rejected
        for node in ordered(recipe):
            report = known[node.id] = reports.node_report(recipe, node)
            broken = [one for one in node.inputs if known[one]["error"] or known[one]["blocked_by"]]
            if broken:
                report["blocked_by"] = known[broken[0]]["blocked_by"] or broken[0]
            elif report["error"] is None:
                self._try(task, node.id, report)
        return {"parts": list(known.values())}

    def source(self, task: Task, source: str) -> dict[str, Any]:
        """Say how the types of a source's columns were found, and which rows did not fit.

        Returns
        -------
        dict
            ``columns`` with ``name``, ``type``, ``kind``, ``inferred_from`` and ``notes``; ``warnings``;
            ``fingerprint``; ``rejected``, how many rows did not fit; ``rejects``, the first of them with ``file``,
            ``line``, ``text`` and ``reason``; ``is_whole``: whether all rows were read.
        """
        if all(one.id != source for one in self._document.sources):
            raise NotFoundError(f"The recipe has no source {source!r}.")
        loaded = self._tables.loaded(self._document, source, is_whole=True)
        is_whole = loaded is not None
        if loaded is None:
            self._compute(task, source, is_whole=False)
            loaded = self._tables.loaded(self._document, source, is_whole=False)
        assert loaded is not None  # it was just read
        return reports.loaded_report(task.engine(self._engine), loaded, is_whole=is_whole)

    def view(self, task: Task, node: str, is_whole: bool) -> dict[str, Any]:
        """Return a view of the rows after a step: of the first rows, or of all.

        Returns
        -------
        dict
            ``view``: its id; ``rows``; ``is_whole``: whether these are all rows; ``columns``; ``fits``: what the steps
            up to this one have learned from these rows.
        """
        computed = self._compute(task, node, is_whole=is_whole)
        view = self._keep_view(View(computed.table, None, computed.rows))
        fits = {one: fit.model_dump(mode="json") for one, fit in computed.fits.items()}
        columns = reports.column_list(task.engine(self._engine), computed.table)
        return {"view": view, "rows": computed.rows, "is_whole": computed.is_whole, "columns": columns, "fits": fits}

    def arrange(
        self, task: Task, view: str, sort: list[dict[str, Any]], filters: list[dict[str, Any]]
    ) -> dict[str, Any]:
        """Sort and filter the table of a view; see `windows.arrange`. Returns ``view`` and ``rows`` of another view."""
        arranged = arrange(task.engine(self._engine), self._view(view).table, sort, filters)
        return {"view": self._keep_view(arranged), "rows": arranged.rows}

    def window(
        self, task: Task, view: str, start: int, count: int, columns: list[str] | None = None, before: str | None = None
    ) -> bytes:
        """Return rows of a view as an Arrow stream; see `windows.window`. `before` is another view."""
        earlier = None if before is None else self._view(before).table
        return arrow_bytes(window(task.engine(self._engine), self._view(view), start, count, columns, earlier))

    def cell(self, task: Task, view: str, row: int, column: str) -> dict[str, Any]:
        """Return one value whole."""
        return {"value": cell(task.engine(self._engine), self._view(view), row, column)}

    def profile(self, task: Task, view: str, columns: list[str]) -> dict[str, Any]:
        """Return ``columns``: the profile of each column of the view's table; what was computed is kept."""
        from kernel_tools.wrangler.profiling import iterate_profiles

        table, engine = self._view(view).table, task.engine(self._engine)
        missing = [name for name in columns if (table, name) not in self._profiles]
        for found in iterate_profiles(engine, table, missing) if missing else ():
            self._profiles[table, found.name] = found.to_dict()
            task.check()
        return {"columns": [self._profiles[table, name] for name in columns]}

    def compare(self, task: Task, node: str) -> dict[str, Any]:
        """Say what a step changes, on the first rows.

        Returns
        -------
        dict
            ``before``, ``after``: views; ``rows_before``, ``rows_after``; ``is_whole``; ``added``, ``removed``: names
            of columns; ``changed``: for each column that has changed, the number of cells, None where rows are not the
            same ones before and after.
        """
        inputs = getattr(part(self._document, node), "inputs", [])
        if not inputs:
            raise InvalidArgumentError(f"{node!r} is a source: there is nothing before it to compare with.")
        earlier = self._compute(task, inputs[0], is_whole=False)
        later = self._compute(task, node, is_whole=False)
        engine = task.engine(self._engine)
        types_before, types_after = column_types(engine, earlier.table), column_types(engine, later.table)
        shared = [name for name in types_after if name in types_before]
        changed: dict[str, int] | None = None
        report = reports.node_report(self._document, next(one for one in self._document.nodes if one.id == node))
        if report["row_effect"] == "same" and earlier.rows == later.rows and later.rows > 0:
            rows = window(engine, View(later.table, None, later.rows), 0, min(later.rows, 1000), shared, earlier.table)
            counts = {name: sum(rows[CHANGED + name].to_pylist()) for name in shared}
            changed = {name: count for name, count in counts.items() if count}
        return {
            "before": self._keep_view(View(earlier.table, None, earlier.rows)),
            "after": self._keep_view(View(later.table, None, later.rows)),
            "rows_before": earlier.rows,
            "rows_after": later.rows,
            "is_whole": later.is_whole,
            "added": [name for name in types_after if name not in types_before],
            "removed": [name for name in types_before if name not in types_after],
            "changed": changed,
        }

    def fit(self, task: Task, node: str) -> dict[str, Any]:
        """Let all steps up to one learn from all rows; returns ``fits`` by the id of the step, and ``rows``."""
        computed = self._compute(task, node, is_whole=True)
        return {"fits": {one: fit.model_dump(mode="json") for one, fit in computed.fits.items()}, "rows": computed.rows}

    def insights(self, task: Task, node: str, most_rows: int | None = None, **wanted: Any) -> dict[str, Any]:
        """Look for what is wrong with the rows after a step, unless there are more than `most_rows`.

        `wanted` goes to `kernel_tools.wrangler.checks`.
        """
        from kernel_tools.core.progress import progress
        from kernel_tools.wrangler.checks import insights

        computed = self._compute(task, node, is_whole=True)
        if most_rows is not None and computed.rows > most_rows:
            return {"table": node, "rows": computed.rows, "findings": [], "summary": f"{computed.rows:,} rows."}
        with progress("Looking for problems", unit="checks") as work:
            task.works.append(work)
            report = insights(task.engine(self._engine), computed.table, progress=work, **wanted)
        if not wanted.get("checks"):
            self._reports[node] = report, computed.table
        found = report.to_dict()
        return {**found, "table": node, "summary": report.summary()}

    def report(self, task: Task, node: str, form: str) -> dict[str, Any]:
        """Return as ``content`` what the checks have last found in the rows after a step: a page, or a notebook."""
        from kernel_tools.wrangler.checks import report_notebook, report_page
        from kernel_tools.wrangler.profiling import profile

        if node not in self._reports:
            raise NotFoundError("Nobody has looked for problems in these rows yet. Look for them first.")
        report, table = self._reports[node]
        if form == "html":
            profiles = profile(task.engine(self._engine), table)
            return {"content": report_page(report, profiles, title=f"Insights: {self._document.name}")}
        source = next((one.uri for one in self._document.sources if one.uri), "table.parquet")
        return {"content": json.dumps(report_notebook(report, source), indent=1) + "\n"}

    def analyze(self, task: Task, node: str, kind: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return the figure, the table and the facts of an analysis of all rows after a step."""
        from kernel_tools.wrangler.analyses import analyze

        computed = self._compute(task, node, is_whole=True)
        engine = task.engine(self._engine)
        return analyze(engine, computed.table, kind, trusted=self._is_trusted, **params).to_dict()

    def code(self, task: Task, dialect: str) -> dict[str, Any]:
        """Return ``code``: the whole recipe as Python or SQL; ``steps``: by the id of each, the code of one."""
        from kernel_tools.wrangler.graph import last
        from kernel_tools.wrangler.lowering.fluent_code import fluent_code, step_code

        document = self._document
        steps = {node.id: step_code(node) for node in document.nodes}
        if dialect == "python":
            return {"code": fluent_code(document), "steps": steps}
        from kernel_tools.wrangler.lowering.frame_code import frame_code, frame_steps
        from kernel_tools.wrangler.lowering.pandas_code import Pandas
        from kernel_tools.wrangler.lowering.polars_code import Polars
        from kernel_tools.wrangler.lowering.sql_code import sql_code

        engine = task.engine(self._engine)
        parts = [source.id for source in document.sources] + [node.id for node in document.nodes]
        computed = {one: self._compute(task, one, is_whole=False) for one in parts}
        schemas = {one: engine.table(found.table).schema() for one, found in computed.items()}
        # What is learned from all rows, where that has happened; else what the first rows have taught.
        fits = {**computed[last(document)].fits, **{node.id: node.fit for node in document.nodes if node.fit}}

        def learned(one: str) -> dict[str, Any]:
            return decode_state(fits[one].state) if one in fits else {}

        if dialect in ("pandas", "polars"):
            language = Pandas() if dialect == "pandas" else Polars()
            steps |= frame_steps(language, document, schemas, learned)
            return {"code": frame_code(language, document, schemas, learned), "steps": steps}
        found = sql_code(document, schemas, learned, dialect=dialect)
        return {"code": found, "steps": steps}

    def export(self, task: Task, node: str, path: str, options: dict[str, Any]) -> dict[str, Any]:
        """Write all rows after a step to a file or folder; returns ``path`` and ``rows``."""
        from kernel_tools.wrangler.sources import write

        computed = self._compute(task, node, is_whole=True)
        engine = task.engine(self._engine)
        written = write(engine.table(computed.table), engine, Path(path), **options)
        return {"path": str(written), "rows": computed.rows}

    def translate(self, task: Task, form: Form, path: str) -> dict[str, Any]:
        """Write the recipe in another form, see `lowering.forms`, and return ``path``; it learns before."""
        from kernel_tools.wrangler.lowering.forms import write_form
        from kernel_tools.wrangler.recipe import Recipe

        recipe = Recipe(self._document, base=self._base, is_trusted=self._is_trusted)
        if form not in ("notebook", "atelier") and not recipe.is_fitted:
            recipe.fit()
        return {"path": str(write_form(recipe, form, Path(path)))}

    def _try(self, task: Task, part_id: str, report: dict[str, Any]) -> None:
        """Compute a part on the first rows, and note in its report what came out or what is wrong."""
        try:
            computed = self._compute(task, part_id, is_whole=False)
            reports.set_result(report, task.engine(self._engine), computed)
        except AtelierError as error:
            task.check()
            reports.set_error(report, error)

    def _compute(self, task: Task, part_id: str, *, is_whole: bool) -> Computed:
        return self._tables.compute(
            task, self._document, part_id, base=self._base, is_trusted=self._is_trusted, is_whole=is_whole
        )

    def _keep_view(self, view: View) -> str:
        number = f"{view.table}/{view.order or ''}"
        with self._views_lock:
            self._views[number] = view
            self._views.move_to_end(number)
            dropped = [self._views.popitem(last=False)[1] for _ in range(len(self._views) - KEPT_VIEWS)]
        for old in dropped:
            if old.order is not None:
                self._engine.drop(old.order)
        return number

    def _view(self, number: str) -> View:
        with self._views_lock:
            if number not in self._views:
                raise NotFoundError("These rows are not kept any more. Open the step again.")
            self._views.move_to_end(number)
            return self._views[number]


def arrow_bytes(table: pa.Table) -> bytes:
    """Return a table as an Arrow IPC stream."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content
