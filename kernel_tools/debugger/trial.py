"""The trial: everything that was captured of a run, in smdebug's words."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernel_tools.core.errors import NotFoundError
from kernel_tools.debugger.reading import StepStatistics, StoreReader, open_readers
from kernel_tools.debugger.records import TICK, Mode, check_regex, to_mode
from kernel_tools.debugger.tensor import Tensor

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_POLL = 0.05


class Trial:
    """Everything that was captured of a run; `kernel_tools.debugger.open` makes one. It may still be growing.

    Steps are those of training: step n is the n-th update of the weights. What is recorded in mode EVAL carries the
    step of the training that it was done at; all batches of one evaluation are one record.

    Examples
    --------
    >>> trial = kt.debugger.open(run)                                     # doctest: +SKIP
    >>> trial.tensor_names(collection="gradients")                        # doctest: +SKIP
    >>> trial.tensor("gradient/fc1.weight").reduction_value(10, "l2")     # doctest: +SKIP
    """

    def __init__(self, folder: Path, run: Any = None) -> None:
        self.folder = folder
        self.run = run
        self._readers: dict[str, StoreReader] = {}
        self._new: list[tuple[int, int]] = []
        open_readers(folder, self._readers)
        if not self._readers:
            raise NotFoundError(
                f"Nothing was captured in {str(folder)!r}. Watch a model with kernel_tools.debugger.watch(model), or "
                "submit the job with debugger=kernel_tools.debugger.Config()."
            )

    def refresh(self) -> list[tuple[int, Mode]]:
        """Take in what was captured since; returns the new sampled steps, each with its mode, in their order."""
        open_readers(self.folder, self._readers)
        found: dict[tuple[int, int], None] = {}
        for reader in self._readers.values():
            found.update(dict.fromkeys(reader.refresh()))
        return [(step, Mode(mode)) for mode, step in found]

    def close(self) -> None:
        """Close the files."""
        for reader in self._readers.values():
            reader.close()
        self._readers = {}

    # ---- smdebug's words ----

    def workers(self) -> list[str]:
        """Return the names of the workers, one for each rank."""
        return sorted(self._readers, key=lambda worker: (len(worker), worker))

    def tensor_names(
        self, regex: str | Sequence[str] | None = None, collection: str | None = None, mode: Mode | str | None = None
    ) -> list[str]:
        """Return the names of tensors.

        Parameters
        ----------
        regex
            Only tensors whose name matches the expression, or one of several.
        collection
            Only tensors of this collection.
        mode
            Only tensors that were captured in this mode.
        """
        patterns = [regex] if isinstance(regex, str) else list(regex or ())
        compiled = [check_regex(pattern, "tensor_names(regex=...)") for pattern in patterns]
        names = {
            name: info
            for reader in self._readers.values()
            for name, info in reader.tensors.items()
            if (collection is None or collection in info.collections)
            and (not compiled or any(pattern.search(name) for pattern in compiled))
        }
        wanted = to_mode(mode)
        return [name for name in names if wanted is None or len(self.tensor(name).steps(wanted))]

    def has_tensor(self, name: str) -> bool:
        """Whether a tensor of this name was captured."""
        return any(name in reader.tensors for reader in self._readers.values())

    def tensor(self, name: str) -> Tensor:
        """Return a tensor by its name; NotFoundError names similar ones."""
        if not self.has_tensor(name):
            import difflib

            near = difflib.get_close_matches(name, self.tensor_names(), 3)
            hint = f"Did you mean {', '.join(map(repr, near))}?" if near else "trial.tensor_names() lists all."
            raise NotFoundError(f"There is no tensor {name!r}. {hint}")
        return Tensor(name, {worker: reader for worker, reader in self._readers.items() if name in reader.tensors})

    def tensors(self, collection: str | None = None, regex: str | None = None) -> list[Tensor]:
        """Return the tensors of a collection, or whose names match."""
        return [self.tensor(name) for name in self.tensor_names(regex, collection)]

    def collections(self) -> dict[str, list[str]]:
        """Return the names of the tensors of every collection that holds any."""
        found: dict[str, list[str]] = {}
        for reader in self._readers.values():
            for name, info in reader.tensors.items():
                for collection in info.collections:
                    if name not in found.setdefault(collection, []):
                        found[collection].append(name)
        return found

    def modes(self) -> list[Mode]:
        """Return the modes that something was captured in."""
        return [mode for mode in Mode if any(reader.steps(mode) for reader in self._readers.values())]

    def steps(self, mode: Mode | str | None = None) -> list[int]:
        """Return the sampled steps."""
        wanted = to_mode(mode)
        return sorted({step for reader in self._readers.values() for step in reader.steps(wanted)})

    def has_passed_step(self, step: int, mode: Mode | str | None = None) -> bool:
        """Whether this step, or a later one, was captured, or nothing will be any more."""
        steps = self.steps(mode)
        return (bool(steps) and steps[-1] >= step) or self.loaded_all_steps

    @property
    def loaded_all_steps(self) -> bool:
        """Whether the capture has ended, so that no step will follow."""
        return bool(self._readers) and all(reader.meta("closed") is not None for reader in self._readers.values())

    def wait_for_steps(
        self, required: Sequence[int], mode: Mode | str | None = None, timeout: float | None = None
    ) -> None:
        """Wait until each of the steps, or a later one, was captured.

        Raises
        ------
        NotFoundError
            If the capture ended before.
        TimeoutError
            If `timeout` seconds have passed.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            self.refresh()
            steps = self.steps(mode)
            if steps and steps[-1] >= max(required):
                return
            if self.loaded_all_steps:
                raise NotFoundError(
                    f"The capture ended at step {steps[-1] if steps else 'none'}; step {max(required)} will not come."
                )
            if end is not None and time.monotonic() > end:
                raise TimeoutError(f"Step {max(required)} was not captured within {timeout:g} s.")
            time.sleep(_POLL)

    # ---- What rules and figures ask ----

    def readers(self) -> list[StoreReader]:
        """Return the readers of the ranks' files, by rank."""
        return [self._readers[worker] for worker in self.workers()]

    def statistics(
        self,
        step: int,
        mode: Mode | str = Mode.TRAIN,
        collection: str | None = None,
        regex: str | None = None,
        worker: str | None = None,
    ) -> StepStatistics | None:
        """Return the statistics of many tensors at a step at once; None if the step was not sampled."""
        reader = self._readers[worker or self.workers()[0]]
        block = reader.statistics(to_mode(mode) or Mode.TRAIN, step)
        if block is None or (collection is None and regex is None):
            return block
        return block.only(
            [
                index
                for index, tensor in enumerate(block.tensors)
                if (collection is None or collection in tensor.collections)
                and (regex is None or re.search(regex, tensor.name))
            ]
        )

    def at(self, step: int, mode: Mode | str = Mode.TRAIN) -> int | None:
        """Return when a sampled step ended, in milliseconds since 1970 UTC."""
        found = [reader.at(to_mode(mode) or Mode.TRAIN, step) for reader in self._readers.values()]
        return next((at for at in found if at is not None), None)

    def ticks(self, mode: Mode | str | None = None, worker: str | None = None) -> pd.DataFrame:
        """Return what is kept of every step, sampled or not: the columns of `records.TICK`."""
        import pandas as pd

        values = self.tick_values(mode, worker)
        return pd.DataFrame(values, columns=list(TICK)).astype({"step": "int64", "mode": "int64", "at": "int64"})

    def tick_values(self, mode: Mode | str | None = None, worker: str | None = None) -> np.ndarray[Any, Any]:
        """Return what is kept of every step as float64 of shape (steps, columns of `records.TICK`)."""
        values = self._readers[worker or self.workers()[0]].ticks()
        wanted = to_mode(mode)
        return values if wanted is None else values[values[:, TICK.index("mode")] == wanted]

    def losses(
        self, mode: Mode | str = Mode.TRAIN, until: int | None = None
    ) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Return the steps at which the loss is known (int64), and the loss (float64; NaN and inf if it was that).

        In mode TRAIN that is every step, else every evaluation. Where the hook saw no loss, it is the first of the
        run's metrics, or of the captured metrics, that is called a loss of that mode.
        """
        from kernel_tools.debugger.loss_metrics import find_losses

        wanted = to_mode(mode) or Mode.TRAIN
        if self.meta("has_loss"):
            values = self.tick_values(wanted)
            steps, losses = values[:, 0].astype("int64"), values[:, TICK.index("loss")]
        else:
            steps, losses = find_losses(self, wanted)
        if until is not None:
            keep = steps <= until
            steps, losses = steps[keep], losses[keep]
        return steps, losses

    def scalars(self, name: str, mode: Mode | str = Mode.TRAIN) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Return the steps and values of a single number that was captured, such as a metric."""
        return self._readers[self.workers()[0]].scalars(name, to_mode(mode) or Mode.TRAIN)

    def meta(self, key: str) -> Any:
        """Return something about the capture: framework, config, overhead, model, optimizer, compiled, closed, ..."""
        found = [self._readers[worker].meta(key) for worker in self.workers()]
        return next((value for value in found if value is not None), None)
