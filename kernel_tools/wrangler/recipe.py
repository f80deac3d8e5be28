"""The recipe in Python: a method for each operator, and what can be done with the whole.

``read(...)`` begins one, each step returns another recipe, nothing is computed before it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.core.progress import progress
from kernel_tools.wrangler import editing
from kernel_tools.wrangler.document import Id, Node, Parameter, RecipeDocument
from kernel_tools.wrangler.files import format_recipe, write_recipe
from kernel_tools.wrangler.graph import before, last, part
from kernel_tools.wrangler.operators import OPERATORS, make_operator, operator_class
from kernel_tools.wrangler.translations import Rows, Translations

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from kernel_tools.jobs import Job, Schedule
    from kernel_tools.wrangler.refitting import Refit


class Recipe(Translations):
    """A recipe that can be run from Python.

    Made by `kernel_tools.wrangler.read` and `load`, not by hand.

    Attributes
    ----------
    document
        All that its file holds.
    base
        The folder that relative paths start at; None for the current one.
    is_trusted
        Whether steps that run code may run.
    """

    def __init__(
        self,
        document: RecipeDocument,
        *,
        frames: Mapping[Id, Rows] | None = None,
        base: Path | None = None,
        is_trusted: bool = True,
        head: Id | None = None,
    ) -> None:
        self.document = document
        self._frames = dict(frames or {})
        self.base = base
        self.is_trusted = is_trusted
        self._head = head

    # ---- Building ----

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Callable[..., Recipe]:
            """Return the method of an operator."""
            if name not in OPERATORS:
                raise AttributeError(f"A recipe has no step or method {name!r}. Steps: {', '.join(sorted(OPERATORS))}.")
            from kernel_tools.wrangler.methods import method

            return method(self, name)

    else:

        def __getattr__(self, name: str) -> Callable[..., Recipe]:
            raise NotImplementedError

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *OPERATORS})

    def step(self, op: str, *others: Recipe, **params: Any) -> Recipe:
        """Add a step by the name of its operator.

        Parameters
        ----------
        op
            Its name, as in `kernel_tools.wrangler.operators()`.
        others
            Further recipes that the step takes rows from: those of a join or a concatenation.
        params
            Its parameters.

        Raises
        ------
        StepError
            If a parameter is missing, unknown or of a wrong type.
        """
        operator = make_operator(op, params)
        document, frames, inputs = self.document, dict(self._frames), [self.head]
        for other in others:
            document, names = editing.merge(document, before(other.document, other.head))
            frames.update({names[one]: frame for one, frame in other._frames.items() if one in names})
            inputs.append(names[other.head])
        given = operator.model_dump(mode="json", exclude_unset=True)
        document, head = editing.add_step(document, op, given, inputs)
        return self._with(document, frames=frames, head=head)

    def parameter(self, name: str, default: Any = None, *, type: str = "string", **more: Any) -> Recipe:
        """Declare a parameter that sources may name as ``${name}``."""
        declared = Parameter.model_validate({"type": type, "default": default, **more})
        parameters = {**self.document.parameters, name: declared}
        return self._with(self.document.model_copy(update={"parameters": parameters}))

    def output(self, role: str = "result") -> Recipe:
        """Give what comes out here a name; a recipe may have several outputs."""
        from kernel_tools.wrangler.document import Output

        outputs = [*(one for one in self.document.outputs if one.role != role), Output(node=self.head, role=role)]
        return self._with(self.document.model_copy(update={"outputs": outputs}))

    @property
    def head(self) -> Id:
        """The id of the step that the next one comes after."""
        return self._head if self._head is not None else last(self.document)

    @property
    def steps(self) -> list[Node]:
        """The steps up to here."""
        return before(self.document, self.head).nodes

    @property
    def name(self) -> str:
        """The name of the recipe."""
        return self.document.name

    @property
    def is_fitted(self) -> bool:
        """Whether every step up to here that learns has learned."""
        return all(node.fit is not None for node in self.steps if node.enabled and operator_class(node.op).learns)

    def at(self, node_id: Id) -> Recipe:
        """Return the recipe as it is after an earlier step, for another branch or a look."""
        part(self.document, node_id)
        return self._with(self.document, head=node_id)

    def edit(self, node_id: Id, **params: Any) -> Recipe:
        """Change parameters of a step; None takes one back to its default."""
        node = part(self.document, node_id)
        merged = {**getattr(node, "params", {}), **params}
        kept = {key: value for key, value in merged.items() if value is not None}
        return self._with(editing.update_step(self.document, node_id, params=kept))

    def remove(self, node_id: Id) -> Recipe:
        """Take a step out."""
        document = editing.remove_step(self.document, node_id)
        head = self._head
        if head == node_id:
            head = getattr(part(self.document, node_id), "inputs", [None])[0]
        return self._with(document, head=head)

    def enable(self, node_id: Id, is_enabled: bool = True) -> Recipe:
        """Turn a step on or off."""
        return self._with(editing.update_step(self.document, node_id, enabled=is_enabled))

    # ---- Running ----

    def fit(self, data: Rows | Mapping[str, Rows] | None = None, *, memory_limit: str | None = None) -> Recipe:
        """Let every step learn, and keep what they learn in this recipe; steps that have learned stay as they are.

        Parameters
        ----------
        data
            Rows to learn from instead of those of the source; of several sources, a dictionary by their ids.
        memory_limit
            How much memory the engine may use, as in ``"1GB"``; what does not fit goes to temporary files.

        Returns
        -------
        Recipe
            This recipe.
        """
        with self._execution(data, memory_limit=memory_limit) as (execution, _):
            execution.table(self.head)
            self.document = execution.fitted()
        return self

    def fit_transform(self, data: Rows | Mapping[str, Rows] | None = None, **options: Any) -> pd.DataFrame:
        """Learn from rows, and return these rows after the last step, as the training data that they are."""
        with self._execution(data, memory_limit=options.get("memory_limit")) as (execution, engine):
            result = engine.arrow(execution.table(self.head))
            self.document = execution.fitted()
        return _pandas(result)

    def transform(
        self, data: Rows | Mapping[str, Rows] | None = None, *, memory_limit: str | None = None
    ) -> pd.DataFrame:
        """Apply what was learned to new rows.

        Steps for training rows only (balancing) are left out, and cross-fitted encodings use all that was learned.

        Raises
        ------
        ConflictError
            If a step has not learned yet.
        """
        options: dict[str, Any] = {"is_training": False, "may_learn": False}
        with self._execution(data, memory_limit=memory_limit, **options) as (execution, engine):
            return _pandas(engine.arrow(execution.table(self.head)))

    def preview(self, rows: int = 100) -> pd.DataFrame:
        """Return the first rows after the last step, learned and computed from the first 1,000 rows of the sources."""
        with self._execution(None, limit=max(rows, 1000)) as (execution, engine):
            return _pandas(engine.arrow(execution.table(self.head).limit(rows)))

    def run(
        self, path: str | Path, *, data: Rows | Mapping[str, Rows] | None = None, memory_limit: str | None = None,
        format: str | None = None, partition_by: list[str] | tuple[str, ...] = (), compression: str | None = None,
    ) -> Path:  # fmt: skip
        """Learn where that has not happened, and write all rows to a file or, partitioned, to a folder.

        Parameters
        ----------
        path
            Where to; the end of the name tells the format (.parquet, .csv, .jsonl, .arrow, .xlsx).
        partition_by
            Columns that become folders.

        Returns
        -------
        Path
            What was written, whole.
        """
        from kernel_tools.wrangler.sources.writing import write

        with (
            progress("Running the recipe", total=2, unit="phases") as work,
            self._execution(data, memory_limit=memory_limit) as (execution, engine),
        ):
            table = execution.table(self.head)
            self.document = execution.fitted()
            work.advance()
            options: Any = {"format": format, "partition_by": partition_by, "compression": compression}
            return write(table, engine, path, **options)

    def refit(self, data: Rows | Mapping[str, Rows] | None = None, *, memory_limit: str | None = None) -> Refit:
        """Let every step learn anew, also those that have learned, and say what is different.

        Returns
        -------
        Refit
            ``recipe``, another one, and ``changes``, a table.
        """
        from kernel_tools.wrangler.refitting import Refit, compare_states

        nodes = [node.model_copy(update={"fit": None}) for node in self.document.nodes]
        fresh = self._with(self.document.model_copy(update={"nodes": nodes})).fit(data, memory_limit=memory_limit)
        return Refit(fresh, compare_states(self.document, fresh.document))

    def run_as_job(self, output: str | Path, *, memory_limit: str | None = None, **options: Any) -> Job:
        """Submit a job that runs the recipe and writes its rows, and the recipe with what it has learned, to a file.

        Parameters
        ----------
        output
            Where the rows go.
        options
            Of `kernel_tools.jobs.submit`: name, resources, retries ...

        Raises
        ------
        ConflictError
            If the rows of a source are only there in this process.
        """
        from kernel_tools import jobs
        from kernel_tools.wrangler.job import ENTRY, job_parameters

        parameters = job_parameters(self, Path(output).resolve(), memory_limit, options.get("workspace"))
        return jobs.submit(ENTRY, params=parameters, **options)

    def schedule(
        self,
        output: str | Path,
        name: str,
        *,
        cron: str | None = None,
        every: float | str | None = None,
        **options: Any,
    ) -> Schedule:
        """Run the recipe as a job again and again; each time its sources are read anew.

        Parameters
        ----------
        output
            Where the rows go; each job writes them anew.
        name
            The name of the schedule.
        cron, every
            When: a cron expression, or every so many seconds.
        options
            Of `kernel_tools.jobs.create_schedule`: time_zone, missed, overlap, resources ...
        """
        from kernel_tools import jobs
        from kernel_tools.wrangler.job import ENTRY, job_parameters

        parameters = job_parameters(self, Path(output).resolve(), None, options.get("workspace"))
        return jobs.create_schedule(name, ENTRY, params=parameters, cron=cron, every=every, **options)

    # ---- Keeping ----

    def save(self, path: str | Path) -> Path:
        """Write the recipe to a file; ``.recipe.json`` is added to its name where it is missing."""
        return write_recipe(self.document, path)

    def to_json(self) -> str:
        """Return the text of the recipe's file."""
        return format_recipe(self.document)

    def __repr__(self) -> str:
        lines = [f"Recipe {self.name!r}: {len(self.document.sources)} sources, {len(self.steps)} steps"]
        for node in self.steps:
            learned = "" if not operator_class(node.op).learns else " (fitted)" if node.fit else " (not fitted)"
            lines.append(f"  {node.id}: {make_operator(node.op, node.params).sentence()}{learned}")
        return "\n".join(lines)

    def _with(
        self, document: RecipeDocument, *, frames: Mapping[Id, Rows] | None = None, head: Id | None = None
    ) -> Recipe:
        return Recipe(
            document,
            frames=self._frames if frames is None else frames,
            base=self.base,
            is_trusted=self.is_trusted,
            head=self._head if head is None else head,
        )

    def _execution(
        self, data: Any, *, memory_limit: str | None = None, limit: int | None = None, **options: Any
    ) -> Any:
        from kernel_tools.wrangler.running import running_on

        return running_on(
            before(self.document, self.head),
            given=self._given(data),
            base=self.base,
            memory_limit=memory_limit,
            limit=limit,
            is_trusted=self.is_trusted,
            **options,
        )

    def _given(self, data: Any) -> dict[Id, Rows]:
        """Return the rows of each source that does not read its own."""
        given = dict(self._frames)
        if data is None:
            return given
        if isinstance(data, Mapping):
            given.update(data)
            return given
        sources = before(self.document, self.head).sources
        if len(sources) != 1:
            raise InvalidArgumentError(
                f"The recipe has {len(sources)} sources ({', '.join(one.id for one in sources)}). "
                "Give the rows of each as a dictionary by these ids."
            )
        given[sources[0].id] = data
        return given


def _pandas(table: pa.Table) -> pd.DataFrame:
    """Return an Arrow table as the frame that people expect: NumPy types, dates as timestamps."""
    frame: pd.DataFrame = table.to_pandas()
    return frame
