"""Magics of jobs: ``%%job`` and ``%jobs``."""

from __future__ import annotations

import time
import uuid
from html import escape
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.core.workspace import current_workspace
from kernel_tools.magics.arguments import parser

if TYPE_CHECKING:
    import pandas as pd

    from kernel_tools.jobs import Job
    from kernel_tools.jobs.records import JobRecord

SHOWN_JOBS = 100
LOOK_SECONDS = 0.2
LAST_LINES = 20
_JOB = parser(
    "%%job",
    ("--name", {}),
    ("--experiment", {}),
    ("--input", {"nargs": "+", "action": "extend", "default": [], "metavar": "NAME=VARIABLE"}),
    ("--cpus", {"type": int}),
    ("--memory", {}),
    ("--max-runtime", {}),
    ("--spot", {"action": "store_true"}),
    ("--wait", {"action": "store_true"}),
)
_JOBS = parser("%jobs", ("state", {"nargs": "?"}), ("experiment", {"nargs": "?"}))


@magics_class
class JobMagics(Magics):
    """Submit a cell as a job; list jobs."""

    @cell_magic
    def job(self, line: str, cell: str) -> None:
        """Submit the cell as a job, which goes on when the notebook is closed.

        ``%%job [--input NAME=VARIABLE ...] [--name NAME] [--experiment EXPERIMENT] [--cpus N] [--memory 4GiB]
        [--max-runtime 30min] [--spot] [--wait]``

        The job sees nothing of the notebook but what ``--input`` names: ``--input train=df rate`` gives it the
        variable ``df`` as ``train``, and ``rate``. DataFrames, Series, arrays and plain values travel. With ``--wait``
        the cell shows how far the job is, and fails if the job does; interrupting the cell leaves the job alone.
        """
        from kernel_tools import jobs
        from kernel_tools.jobs.cells import submit_cell

        arguments = _JOB.parse_line(line)
        try:
            job = submit_cell(
                current_workspace(),
                cell,
                line,
                _variables(self.shell.user_ns, arguments.input),  # type: ignore[union-attr]  # there is a shell
                name=arguments.name,
                experiment=arguments.experiment,
                resources=jobs.Resources(arguments.cpus, arguments.memory),
                max_runtime=arguments.max_runtime,
                spot=jobs.Spot() if arguments.spot else None,
            )
        except InvalidArgumentError as error:
            raise UsageError(str(error)) from error
        line_of = _LiveLine(self.shell, job)
        line_of.show(job.record)
        if arguments.wait:
            _wait(job, line_of)

    @line_magic
    def jobs(self, line: str) -> pd.DataFrame:
        """List jobs: ``%jobs [state] [experiment]``, at most 100, the newest first."""
        import pandas as pd

        from kernel_tools import jobs

        arguments = _JOBS.parse_line(line)
        states = {state.value.lower(): state for state in jobs.JobState}
        state, experiment = arguments.state, arguments.experiment
        if state is not None and state.lower() not in states:
            if experiment is not None:
                raise UsageError(f"There is no state {state!r}. The states are: {', '.join(jobs.JobState)}.")
            state, experiment = None, state
        records, _ = jobs.list_jobs([] if state is None else [states[state.lower()]], experiment, limit=SHOWN_JOBS)
        rows = {
            record.name: {
                "state": record.state.value,
                "entry": record.entry,
                "experiment": record.experiment,
                "submitted": pd.Timestamp(record.created_at, unit="ms", tz="UTC"),
                "seconds": record.running_time / 1000 if record.ended_at else None,
                "progress": _progress(record),
                "reason": record.reason,
            }
            for record in records
        }
        columns = ["state", "entry", "experiment", "submitted", "seconds", "progress", "reason"]
        return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


class _LiveLine:
    """One line of output that says how a job stands, with a link, and is replaced as the job goes on."""

    def __init__(self, shell: Any, job: Job) -> None:
        self._shell = shell
        self._job = job
        self._id = uuid.uuid4().hex
        self._shown = ""

    def show(self, record: JobRecord) -> None:
        """Show a job as it is now, unless that is shown already."""
        facts = ", ".join(filter(None, (record.state.value, _progress(record), record.reason)))
        if facts == self._shown:
            return
        link = f'<a href="{escape(self._job.url)}">{escape(record.name)}</a>'
        self._shell.display_pub.publish(
            {"text/plain": f"Job {record.name}: {facts}", "text/html": f"Job {link}: {escape(facts)}"},
            transient={"display_id": self._id},
            update=bool(self._shown),
        )
        self._shown = facts


def _wait(job: Job, line: _LiveLine) -> None:
    """Wait for the end of a job; UsageError if it is not completed."""
    try:
        while not (record := job.record).state.is_end:
            line.show(record)
            time.sleep(LOOK_SECONDS)
    except KeyboardInterrupt:
        print(f"The job goes on. To end it: kt.jobs.get({job.name!r}).stop()")
        raise
    line.show(record)
    said = job.logs(tail=LAST_LINES)
    if said:
        print(said)
    if record.state.value != "Completed":
        raise UsageError(f"Job {job.name} is {record.state}: {record.reason}")


def _variables(namespace: dict[str, Any], pairs: list[str]) -> dict[str, Any]:
    """Return the variables of a notebook that ``--input`` names, under the names that the job has for them."""
    found = {}
    for pair in pairs:
        name, mark, variable = pair.partition("=")
        variable = variable if mark else name
        if not name.isidentifier():
            raise UsageError(f"--input {pair}: {name!r} is not a name of Python's. Write --input NAME=VARIABLE.")
        if variable not in namespace:
            raise UsageError(f"--input {pair}: there is no variable {variable!r} in this notebook.")
        found[name] = namespace[variable]
    return found


def _progress(record: JobRecord) -> str:
    progress = record.progress
    if progress is None:
        return ""
    done = f"{progress.done:g} of {progress.total:g}" if progress.total else f"{progress.done:g}"
    return f"{progress.description} {done}".strip()
