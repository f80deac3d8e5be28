"""The capture of one process: whose run it is, the file that it is written to, and the rules that watch it."""

from __future__ import annotations

import atexit
import os
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from kernel_tools.core.errors import ConflictError
from kernel_tools.core.workspace import Workspace, current_workspace
from kernel_tools.debugger.finding import now
from kernel_tools.debugger.profiling.sampler import SystemSampler
from kernel_tools.debugger.profiling.torch_trace import FILE as TRACE
from kernel_tools.debugger.records import FOLDER, Config
from kernel_tools.debugger.sampling import Sampler
from kernel_tools.debugger.store import StoreWriter, store_path
from kernel_tools.experiments import active_run
from kernel_tools.experiments.attached import job_run
from kernel_tools.experiments.hooks import ENDING
from kernel_tools.jobs.supervision.machine import FILE as SYSTEM
from kernel_tools.jobs.supervision.processes import MARK

if TYPE_CHECKING:
    from kernel_tools.debugger.live import LiveEvaluation
    from kernel_tools.experiments import Run

EVALUATED_VARIABLE = "ATELIER_DEBUGGER_EVALUATED"
"""Set in jobs whose supervisor has the rules evaluated by a process of their own."""


class Session:
    """What a hook writes to. One for each run and rank in a process; a later one goes on where the one before ended.

    Attributes
    ----------
    run
        The run that the capture belongs to; None if it was given a folder.
    first_step
        The number of the first step: 0, or one more than the last step that an earlier session has written.
    """

    _OPEN: ClassVar[dict[Path, Session]] = {}

    def __init__(
        self, folder: Path, run: Run | None, rank: int, framework: str, config: Config, owns_run: bool
    ) -> None:
        self.folder = folder
        self.run = run
        self.config = config
        self.path = store_path(folder, rank)
        if self.path in self._OPEN:
            raise ConflictError(
                f"{'The run' if run is None else run.name!r} is watched already in this process. Close that hook "
                "first, or give all models to one: watch({'generator': g, 'discriminator': d})."
            )
        self.writer = StoreWriter(self.path, framework=framework, max_disk=int(config.save.max_disk))
        self.sampler = Sampler(config.save)
        self.first_step = self._next_step()
        self._owns_run = owns_run
        self._pid = os.getpid()
        self._live: LiveEvaluation | None = None
        self._system = self._watch_system()
        self._closers: list[Any] = []
        self._OPEN[self.path] = self
        self.writer.set_meta("config", config.to_dict())
        self.writer.set_meta("job", os.environ.get("ATELIER_JOB"))
        self.writer.set_meta("began", now())
        self.writer.forget_meta("closed")

    @classmethod
    def open(
        cls,
        run: Run | str | os.PathLike[str] | None = None,
        *,
        framework: str,
        config: Config | None = None,
        rules: str | Iterable[Any] | None = None,
        actions: Iterable[Any] = (),
        workspace: Workspace | None = None,
    ) -> Session:
        """Open the capture of a run: the one given, else the active one, else the job's, else a new one.

        Parameters
        ----------
        run
            A run, its id, or a folder that belongs to no run.
        framework
            What trains: pytorch, xgboost, lightgbm or sklearn.
        config
            The settings.
        rules, actions
            Rules and actions that are evaluated live by a thread of this process, instead of those of `config`.
        workspace
            Default: the current workspace.

        Raises
        ------
        ConflictError
            If this process watches the run already.
        NotFoundError
            If there is no such run.
        """
        config = config or Config()
        found, folder, owns = _find_run(run, workspace)
        session = cls(folder, found, rank(), framework, config, owns)
        if rank() == 0 and not os.environ.get(EVALUATED_VARIABLE):
            session._watch_live(config.rules if rules is None else rules, actions or config.actions)
        return session

    @classmethod
    def of_run(cls, run_id: str) -> list[Session]:
        """Return the open sessions of a run."""
        return [session for session in cls._OPEN.values() if session.run is not None and session.run.id == run_id]

    def on_close(self, call: Any) -> None:
        """Call something when the session closes, before its file does."""
        self._closers.append(call)

    @property
    def is_open(self) -> bool:
        """Whether it still takes something; a process that was forked from this one has none."""
        return self._OPEN.get(self.path) is self and os.getpid() == self._pid

    @property
    def stop_reason(self) -> str | None:
        """Why a rule's action wants the training to stop; None if it goes on."""
        return None if self._live is None else self._live.stop_reason

    def close(self) -> None:
        """End the capture: write what is left, let the rules look once more, export it, and end a run of its own."""
        if not self.is_open:
            return
        for call in self._closers:
            _forgiving(call)
        self.sampler.end()
        self.writer.set_meta("overhead", self.sampler.overhead)
        self.writer.set_meta("closed", now())
        self._OPEN.pop(self.path)
        if self._system is not None:
            self._system.close()
        if self._live is not None:
            self._live.stop()
        self.writer.close()
        if self.run is not None:
            _forgiving(self._export)
            if self._owns_run:
                self.run.finish()

    def _export(self) -> None:
        from kernel_tools.debugger.exporting import log_export

        if self.run is not None and self.run.status.is_open:
            log_export(self.run, self.folder)
            trace = self.folder / TRACE
            if trace.exists():
                self.run.log_artifact(trace, FOLDER)

    def _watch_system(self) -> SystemSampler | None:
        """Sample the machine, unless a job's supervisor does so or another rank."""
        if os.environ.get(MARK) or rank() != 0:
            return None
        try:
            return SystemSampler(self.folder / SYSTEM)
        except OSError as error:
            warnings.warn(f"The use of the machine is not recorded: {error}", stacklevel=2)
            return None

    def _watch_live(self, rules: str | Iterable[Any], actions: Iterable[Any]) -> None:
        from kernel_tools.debugger.live import LiveEvaluation
        from kernel_tools.debugger.rules import make_rules

        made = make_rules(rules)
        if made:
            self._live = LiveEvaluation(self.folder, made, actions, run=self.run)
            self._live.start()

    def _next_step(self) -> int:
        rows = self.writer.connection.execute(
            "SELECT MAX(step) FROM (SELECT MAX(step) AS step FROM steps UNION SELECT MAX(last) FROM chunks "
            "UNION SELECT MAX(step) FROM scalars)"
        ).fetchone()
        return 0 if rows[0] is None else int(rows[0]) + 1


def rank() -> int:
    """Return the rank of this process among those that train together."""
    import sys

    torch = sys.modules.get("torch")
    if torch is not None and torch.distributed.is_available() and torch.distributed.is_initialized():
        return int(torch.distributed.get_rank())
    text = os.environ.get("RANK", "0")
    return int(text) if text.isdecimal() else 0


def debugger_folder(workspace: Workspace, run_id: str) -> Path:
    """Return the Debugger's folder of a run."""
    from kernel_tools.experiments.run_files import RunFolder

    return RunFolder(workspace, run_id).path / FOLDER


def _find_run(run: Run | str | os.PathLike[str] | None, workspace: Workspace | None) -> tuple[Run | None, Path, bool]:
    from kernel_tools.experiments import Run as RunClass
    from kernel_tools.experiments import get_run, start_run

    if isinstance(run, os.PathLike) or (isinstance(run, str) and os.sep in run):
        return None, Path(run), False
    workspace = workspace or current_workspace()
    owns = False
    if run is None:
        found = active_run() or job_run(workspace)
        if found is None:
            found, owns = start_run("Default", workspace=workspace), True
    else:
        found = run if isinstance(run, RunClass) else get_run(run, workspace=workspace)
    return found, debugger_folder(found._workspace, found.id), owns


def _forgiving(call: Any) -> None:
    """Call something at the end of a training; what fails is said and does not spoil the rest."""
    try:
        call()
    except Exception as error:
        warnings.warn(f"The Debugger could not finish all of its work: {type(error).__name__}: {error}", stacklevel=2)


def _close_those_of(run: Run) -> None:
    for session in Session.of_run(run.id):
        session.close()


def _close_all() -> None:
    for session in list(Session._OPEN.values()):
        session.close()


ENDING.append(_close_those_of)
atexit.register(_close_all)
