"""The checkpointer of a training loop: when to save, what, and how to go on."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.jobs.checkpointing.randomness import capture_randomness, restore_randomness
from kernel_tools.jobs.checkpointing.requests import take_request
from kernel_tools.jobs.checkpointing.store import CheckpointStore
from kernel_tools.jobs.spec import to_seconds
from kernel_tools.jobs.supervision.watch import INTERRUPTED_EXIT_CODE

if TYPE_CHECKING:
    import numpy as np

    from kernel_tools.experiments.run import Run

Item = TypeVar("Item")
_STATES = "states.pt"
_CUSTOM = "custom"


class Checkpointer:
    """Saves what a training loop needs to go on, at intervals of time and when the job is interrupted, and restores it.

    What is kept: the state of every object given, the states of the random generators, where in the data the loop was,
    and how far the run's metrics were, so that steps which are done again are not logged twice.

    Parameters
    ----------
    every
        Seconds, or a text such as ``"60s"``, between two checkpoints. Default: the job's setting, else 60 s.
    keep
        How many checkpoints are kept. Default: the job's setting, else 2.
    folder
        Default: the job's folder for checkpoints.
    asynchronous
        Write in a thread while the loop goes on. The state is copied before the loop goes on.
    generators
        Generators of numpy that the loop uses.
    run
        The run whose metrics position is kept. Default: the active run, else the job's.
    save, load
        Functions of a folder that write and read what has no ``state_dict``; they are called in the loop's thread.
    objects
        Anything with ``state_dict`` and ``load_state_dict``: ``model=``, ``optimizer=``, ``scheduler=``, ``scaler=``.

    Notes
    -----
    While it exists, SIGTERM does not end the process at once: the step under way is finished, its state is saved, and
    the process exits. States are written by `torch.save` and read with ``weights_only=True``, which executes nothing.
    """

    def __init__(
        self,
        *,
        every: float | str | None = None,
        keep: int | None = None,
        folder: str | os.PathLike[str] | None = None,
        asynchronous: bool = True,
        generators: Sequence[np.random.Generator] = (),
        run: Run | None = None,
        save: Callable[[Path], None] | None = None,
        load: Callable[[Path], None] | None = None,
        **objects: Any,
    ) -> None:
        for name, item in objects.items():
            if not (hasattr(item, "state_dict") and hasattr(item, "load_state_dict")):
                raise InvalidArgumentError(
                    f"{name}= is a {type(item).__name__}, which has no state_dict: use save= and load= for it."
                )
        if (save is None) != (load is None):
            raise InvalidArgumentError("save= and load= belong together: give both, or none.")
        interval = every if every is not None else os.environ.get("ATELIER_CHECKPOINT_EVERY", "60")
        self._every = to_seconds(float(interval) if str(interval).replace(".", "").isdigit() else interval, "every")
        self._store = CheckpointStore(folder, keep)
        self._objects = objects
        self._save, self._load = save, load
        self._generators = generators
        self._run = run
        self._is_asynchronous = asynchronous
        self._writing: threading.Thread | None = None
        self._failure: BaseException | None = None
        self._position: dict[str, Any] = {}
        self._attempt = os.environ.get("ATELIER_ATTEMPT_FOLDER")
        self._saved = self._stepped = time.monotonic()
        self._writing_seconds = 0.0
        self._is_asked = False
        self.seconds = 0.0
        """What saving has cost the loop so far."""
        attempt = os.environ.get("ATELIER_ATTEMPT_FOLDER")
        self._notice = os.path.join(attempt, "notice.json") if attempt else None
        self._handler: Any = None
        if threading.current_thread() is threading.main_thread():
            self._handler = signal.signal(signal.SIGTERM, self._on_term)

    def restore(self) -> int:
        """Restore the newest good checkpoint and return its step; 0 if there is none."""
        saved = self._store.newest()
        if saved is None:
            self._rewind({})
            return 0
        if self._objects:
            import torch

            states = torch.load(saved.path / _STATES, weights_only=True, map_location="cpu")
            for name, item in self._objects.items():
                item.load_state_dict(states[name])
        if self._load is not None:
            self._load(saved.path / _CUSTOM)
        self._position = saved.state.get("position", {})
        self._rewind(saved.state.get("metrics", {}))
        restore_randomness(saved.state["random"], self._generators)
        self._saved = self._stepped = time.monotonic()
        return saved.step

    def steps(self, count: int) -> Iterator[int]:
        """Yield the steps from the restored one to `count`; save when it is time, after a step is done."""
        for step in range(self.restore(), count):
            yield step
            self.step(step + 1)
        self.finish()

    def batches(self, loader: Iterable[Item], epochs: int) -> Iterator[tuple[int, int, Item]]:
        """Yield epoch, number of the batch and batch, from where the restored checkpoint was.

        A loader that draws its order from the global generators (as torch's does) gives the same order again: they are
        set to what they were when the epoch began, the batches that are done are drawn and dropped.
        """
        done = self.restore()
        resumed = capture_randomness(self._generators)
        first, skipped = self._position.get("epoch", 0), self._position.get("batch", 0)
        begun = self._position.get("epoch_random")
        for epoch in range(first, epochs):
            states = capture_randomness(self._generators)
            if epoch == first and begun is not None:
                restore_randomness(begun, self._generators)
                states, begun = begun, None
                iterator = enumerate(loader)
                for _ in range(skipped):
                    next(iterator, None)
                restore_randomness(resumed, self._generators)
            else:
                iterator = enumerate(loader)
            for index, batch in iterator:
                yield epoch, index, batch
                done += 1
                self._position = {"epoch": epoch, "batch": index + 1, "epoch_random": states}
                self.step(done)
        self.finish()

    def step(self, step: int) -> None:
        """Say that `step` steps are done; saves if it is time, and ends the process if the job is interrupted."""
        if self._is_asked or (self._notice is not None and os.path.exists(self._notice)):
            self._snapshot(step, is_last=True)
            sys.exit(INTERRUPTED_EXIT_CODE)
        # A little early, so that the next checkpoint is on the disk when the interval is over.
        moment = time.monotonic()
        lead = min(self._writing_seconds + moment - self._stepped, self._every / 2)
        self._stepped = moment
        if moment - self._saved >= self._every - lead or take_request(self._attempt):
            self._snapshot(step, is_last=False)

    def save(self, step: int) -> None:
        """Save now, and wait until it is on the disk."""
        self._snapshot(step, is_last=True)

    def finish(self) -> None:
        """End the loop: wait for the checkpoint that is being written, and let SIGTERM end the process again.

        Raises
        ------
        OSError
            If it could not be written.
        """
        self._wait()
        if self._handler is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self._handler)

    def _wait(self) -> None:
        if self._writing is not None:
            self._writing.join()
            self._writing = None
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    def _snapshot(self, step: int, is_last: bool) -> None:
        began = time.monotonic()
        if self._writing is not None and self._writing.is_alive() and not is_last:
            return  # the disk is slower than the interval: the next step tries again
        self._wait()
        states = {name: _copy(item.state_dict()) for name, item in self._objects.items()}
        custom = self._store.folder / f".custom-{os.getpid()}"
        if self._save is not None:
            custom.mkdir(exist_ok=True)
            self._save(custom)
        state = {
            "random": capture_randomness(self._generators),
            "position": self._position,
            "metrics": self._metrics_position(),
        }

        def write(folder: Path) -> None:
            if states:
                import torch

                torch.save(states, folder / _STATES)
            if self._save is not None:
                custom.rename(folder / _CUSTOM)

        def work() -> None:
            try:
                self._store.save(step, write, state)
                self._writing_seconds = time.monotonic() - began
            except BaseException as error:
                self._failure = error

        if self._is_asynchronous and not is_last:
            self._writing = threading.Thread(target=work, name="checkpoint")
            self._writing.start()
        else:
            work()
            self._wait()
        self._saved = began
        self.seconds += time.monotonic() - began

    def _metrics_position(self) -> Mapping[str, int]:
        run = self._find_run()
        if run is None:
            return {}
        from kernel_tools.experiments.rewinding import metrics_position

        return metrics_position(run)

    def _rewind(self, position: Mapping[str, int]) -> None:
        run = self._find_run()
        if run is not None and int(os.environ.get("ATELIER_ATTEMPT", "1")) > 1:
            from kernel_tools.experiments.rewinding import rewind_metrics

            rewind_metrics(run, position)

    def _find_run(self) -> Run | None:
        if self._run is None and ("kernel_tools.experiments" in sys.modules or "ATELIER_RUN_ID" in os.environ):
            from kernel_tools.core.workspace import current_workspace
            from kernel_tools.experiments import active_run
            from kernel_tools.experiments.attached import job_run

            self._run = active_run() or job_run(current_workspace())
        return self._run

    def _on_term(self, *_: Any) -> None:
        self._is_asked = True


def _copy(state: Any) -> Any:
    """Copy a state, tensors to memory of their own, so that the loop may go on while it is written."""
    if isinstance(state, Mapping):
        return {key: _copy(item) for key, item in state.items()}
    if isinstance(state, list | tuple):
        return type(state)(_copy(item) for item in state) if not hasattr(state, "_fields") else state
    if hasattr(state, "detach"):
        return state.detach().to("cpu", copy=True)
    return state
