"""Magics of experiments: ``%%experiment``, ``%runs``, ``%compare``, ``%best``."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class

from kernel_tools.core.errors import AtelierError, InvalidArgumentError, NotFoundError
from kernel_tools.core.workspace import current_workspace
from kernel_tools.magics.arguments import parser
from kernel_tools.magics.cell_execution import execute_cell

if TYPE_CHECKING:
    import pandas as pd

    from kernel_tools.experiments import Run

SHOWN_RUNS = 100
LOWER_IS_BETTER = re.compile(
    r"(^|[/_.-])(loss|logloss|error|err|mae|mse|rmse|mape|perplexity|wer)($|[/_.@-])|loss$|error$"
)
_FIRST_WORD = re.compile(r"""'([^']*)'|"([^"]*)"|(\S+)""")
_EXPERIMENT = parser("%%experiment", ("experiment", {}), ("--run", {"metavar": "NAME"}))
_COMPARE = parser("%compare", ("runs", {"nargs": "+", "metavar": "RUN"}), ("--all", {"action": "store_true"}))
_BEST = parser("%best", ("experiment", {}), ("metric", {}), ("direction", {"nargs": "?", "choices": ["min", "max"]}))
_ORDER_BY = re.compile(r"\s*\border\s+by\s+(?P<order>[^'\"]+)$", re.IGNORECASE)


@magics_class
class ExperimentMagics(Magics):
    """Record a cell as a run; list, compare and choose runs."""

    @cell_magic
    def experiment(self, line: str, cell: str) -> None:
        """Execute the cell and record it as a run: ``%%experiment EXPERIMENT [--run NAME]``.

        The run gets what the cell assigns as plain literals (parameters), its code, the trainings and metrics that it
        logs or prints, and the figures that it shows. ``kt.experiments.active_run()`` is the run, to log more. If the
        cell fails, so does the run.
        """
        from kernel_tools import experiments
        from kernel_tools.experiments.capture.cell import code_of_cell, record_cell

        arguments = _EXPERIMENT.parse_line(line)
        workspace = current_workspace()
        with code_of_cell(cell):
            run = experiments.start_run(arguments.experiment, name=arguments.run, workspace=workspace)
        try:
            with run, record_cell(self.shell, run, cell, workspace):
                execute_cell(self.shell, cell)
        finally:
            _show_link(self.shell, run)

    @line_magic
    def runs(self, line: str) -> pd.DataFrame:
        """List runs: ``%runs [experiment] [filter] [ORDER BY ...]``, at most 100, the newest first.

        The filter is that of `search_runs`, such as ``metrics.auc > 0.9 and params.max_depth = '6'``.
        """
        from kernel_tools import experiments

        experiment, rest = _split_experiment(line.strip())
        order = _ORDER_BY.search(rest)
        order_by = [part.strip() for part in order["order"].split(",")] if order else []
        condition = rest[: order.start()] if order else rest
        return experiments.search_runs(experiment, filter=condition, order_by=order_by, max_results=SHOWN_RUNS)

    @line_magic
    def compare(self, line: str) -> pd.DataFrame:
        """Compare runs side by side: ``%compare RUN RUN [RUN ...]`` shows what is different, ``--all`` the rest too.

        A run is given by its id, the beginning of its id, or its name.
        """
        from kernel_tools import experiments

        arguments = _COMPARE.parse_line(line)
        runs = [find_run(text) for text in arguments.runs]
        if len(runs) < 2:
            raise UsageError("Name at least two runs: %compare RUN RUN. %runs lists them.")
        return experiments.compare_runs(runs, differences_only=not arguments.all)

    @line_magic
    def best(self, line: str) -> Run:
        """Return the run with the best last value of a metric: ``%best EXPERIMENT METRIC [min|max]``.

        Without a direction, the lowest is best for losses and errors (by the metric's name), else the highest.
        """
        from kernel_tools import experiments

        arguments = _BEST.parse_line(line)
        experiment, metric = arguments.experiment, arguments.metric
        direction = arguments.direction or ("min" if LOWER_IS_BETTER.search(metric.lower()) else "max")
        key = f"metrics.`{metric}`"
        records, _ = experiments.search_run_records(
            experiment, f"{key} IS NOT NULL", [f"{key} {'ASC' if direction == 'min' else 'DESC'}"], limit=1
        )
        if not records:
            raise UsageError(
                f"No run of {experiment!r} has the metric {metric!r}. `%runs {experiment}` shows what they have."
            )
        best = records[0]
        print(f"{direction} {metric} = {best.metrics[metric]:.6g}: {best.name}")
        return experiments.get_run(best.id)


def find_run(text: str) -> Run:
    """Return the run of an id, of the beginning of an id (at least 4 digits), or of a name, the newest of that name.

    Raises
    ------
    UsageError
        If there is none, or an id begins so for several runs.
    """
    from kernel_tools import experiments

    try:
        return experiments.get_run(text)
    except (NotFoundError, InvalidArgumentError):
        pass  # no id; perhaps the beginning of one, or a name
    quoted = text.replace("'", "''")
    if re.fullmatch(r"[0-9a-f]{4,31}", text):
        found, _ = experiments.search_run_records(filter=f"attributes.run_id LIKE '{quoted}%'", limit=2)
        if len(found) == 1:
            return experiments.get_run(found[0].id)
        if found:
            raise UsageError(f"The ids of several runs begin with {text!r}. Give more of it.")
    named, _ = experiments.search_run_records(filter=f"attributes.run_name = '{quoted}'", limit=1)
    if not named:
        raise UsageError(f"There is no run {text!r}. Give an id, the beginning of one, or a name; %runs lists them.")
    return experiments.get_run(named[0].id)


def _split_experiment(line: str) -> tuple[str | None, str]:
    """Take the experiment's name, if there is one, from the beginning of a line."""
    from kernel_tools import experiments

    if not line:
        return None, ""
    word = _FIRST_WORD.match(line)
    if word is None:
        return None, line
    name, rest = next(group for group in word.groups() if group is not None), line[word.end() :]
    try:
        experiments.get_experiment(name)
    except AtelierError:
        if rest.strip() or "." in name:
            return None, line
        raise UsageError(f"There is no experiment {name!r}. `kt.experiments.list_experiments()` lists them.") from None
    return name, rest.strip()


def _show_link(shell: Any, run: Run) -> None:
    record = run.record
    facts = f"{record.status.value}, {len(record.params)} parameters, {len(record.metrics)} metrics"
    link = f'<a href="{escape(run.url)}">{escape(record.name)}</a>'
    bundle = {
        "text/plain": f"Run {record.name} of {record.experiment}: {facts}",
        "text/html": f"Run {link} of {escape(record.experiment)}: {facts}",
    }
    shell.display_pub.publish(bundle)
