"""One tensor of a trial: when it was captured, and what it was then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernel_tools.core.errors import InvalidArgumentError, NotFoundError
from kernel_tools.debugger.records import COLUMN, Mode, to_mode

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from kernel_tools.debugger.reading import StoreReader, TensorInfo

REDUCTIONS = (*COLUMN, "abs_max", "abs_mean", "variance", "sum", "norm")
"""What `Tensor.reduction_value` answers; norm is l2."""


class Tensor:
    """One tensor of a trial; `Trial.tensor` makes it."""

    def __init__(self, name: str, readers: dict[str, StoreReader]) -> None:
        self.name = name
        self._readers = readers

    def __repr__(self) -> str:
        return f"<Tensor {self.name!r}, shape {self.info.shape}, in {', '.join(self.info.collections)}>"

    @property
    def info(self) -> TensorInfo:
        """Its collections, shape and layer."""
        return next(iter(self._readers.values())).tensors[self.name]

    @property
    def is_scalar(self) -> bool:
        """Whether it is a single number for each step, such as a loss or a metric."""
        return self.info.kind == "scalar"

    def workers(self) -> list[str]:
        """Return the workers that have captured it."""
        return list(self._readers)

    def steps(self, mode: Mode | str | None = None) -> list[int]:
        """Return the steps at which it was captured."""
        wanted = to_mode(mode)
        found: set[int] = set()
        for reader in self._readers.values():
            for each in Mode if wanted is None else (wanted,):
                if self.is_scalar:
                    found.update(reader.scalars(self.name, each)[0].tolist())
                else:
                    found.update(reader.series(self.name, each)[0].tolist())
                    found.update(reader.array_steps(self.name, each))
        return sorted(found)

    def saved_steps(self, mode: Mode | str | None = None) -> list[int]:
        """Return the steps at which its elements were saved."""
        wanted = to_mode(mode)
        return sorted({step for reader in self._readers.values() for step in reader.array_steps(self.name, wanted)})

    def value(self, step: int, mode: Mode | str | None = None, worker: str | None = None) -> Any:
        """Return its elements at a step as an array, or a single number.

        Raises
        ------
        NotFoundError
            If its elements were not saved at this step; the message says how to save them.
        """
        reader = self._reader(worker)
        for each in self._modes(mode):
            if self.is_scalar:
                steps, values = reader.scalars(self.name, each)
                if step in steps:
                    return float(values[steps.searchsorted(step)])
            array = reader.array(self.name, each, step)
            if array is not None:
                return array
        saved = reader.array_steps(self.name)
        if saved:
            shown = ", ".join(map(str, saved[:8])) + (", ..." if len(saved) > 8 else "")
            raise NotFoundError(f"The elements of {self.name!r} were not saved at step {step}, but at {shown}.")
        raise NotFoundError(
            f"Only statistics of {self.name!r} were saved: read them with .reduction_value(step, 'mean'), or save its "
            f"elements with save=SaveConfig(raw=[{self.name!r}])."
        )

    def reduction_value(
        self,
        step: int,
        reduction: str,
        mode: Mode | str | None = None,
        worker: str | None = None,
        abs: bool = False,
    ) -> float:
        """Return a statistic at a step.

        Parameters
        ----------
        step
            A sampled step.
        reduction
            One of `REDUCTIONS`. With ``abs`` "max", "mean" and "norm" are those of absolute values.
        mode
            Default: the first mode in which the step was sampled.
        worker
            Default: the first.
        abs
            Of absolute values.

        Raises
        ------
        NotFoundError
            If the step was not sampled; the message names the nearest ones.
        InvalidArgumentError
            If there is no such statistic.
        """
        name = f"abs_{reduction}" if abs and reduction in ("max", "mean") else reduction
        for each in self._modes(mode):
            steps, values = self._table(each, worker)
            found = steps.searchsorted(step)
            if found < len(steps) and steps[found] == step:
                return float(_reduce(values[found : found + 1], name, self.info.count)[0])
        known = self.steps(mode)
        near = sorted(known, key=lambda other: _distance(other, step))[:4]
        raise NotFoundError(
            f"Step {step} of {self.name!r} was not sampled. The nearest are: "
            f"{', '.join(map(str, sorted(near))) or 'none'}."
        )

    def reduction_values(
        self, step: int, mode: Mode | str | None = None, worker: str | None = None
    ) -> dict[str, float]:
        """Return all statistics at a step."""
        return {name: self.reduction_value(step, name, mode, worker) for name in REDUCTIONS}

    def values(self, mode: Mode | str | None = None, worker: str | None = None) -> dict[int, Any]:
        """Return its elements, or single numbers, by step."""
        reader = self._reader(worker)
        found: dict[int, Any] = {}
        for each in self._modes(mode):
            if self.is_scalar:
                found |= dict(zip(*(column.tolist() for column in reader.scalars(self.name, each)), strict=True))
            else:
                found |= {step: reader.array(self.name, each, step) for step in reader.array_steps(self.name, each)}
        return dict(sorted(found.items()))

    def series(
        self, reduction: str = "mean", mode: Mode | str = Mode.TRAIN, worker: str | None = None
    ) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Return the sampled steps (int64) and a statistic, or the single number, at them."""
        wanted = to_mode(mode) or Mode.TRAIN
        if self.is_scalar:
            return self._reader(worker).scalars(self.name, wanted)
        steps, values = self._table(wanted, worker)
        return steps, _reduce(values, reduction, self.info.count)

    def table(self, mode: Mode | str = Mode.TRAIN, worker: str | None = None) -> pd.DataFrame:
        """Return all stored statistics, a row for each sampled step."""
        import pandas as pd

        steps, values = self._table(to_mode(mode) or Mode.TRAIN, worker)
        return pd.DataFrame(values, columns=list(COLUMN), index=pd.Index(steps, name="step"))

    def _table(self, mode: Mode, worker: str | None) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        return self._reader(worker).series(self.name, mode)

    def _reader(self, worker: str | None) -> StoreReader:
        if worker is None:
            return next(iter(self._readers.values()))
        if worker not in self._readers:
            raise NotFoundError(
                f"No worker {worker!r} has captured {self.name!r}; there are: {', '.join(self._readers)}."
            )
        return self._readers[worker]

    def _modes(self, mode: Mode | str | None) -> list[Mode]:
        wanted = to_mode(mode)
        return list(Mode) if wanted is None else [wanted]


def _reduce(values: np.ndarray[Any, Any], reduction: str, count: int) -> np.ndarray[Any, Any]:
    """Work a statistic out of rows of stored ones."""
    import numpy as np

    if reduction not in REDUCTIONS:
        raise InvalidArgumentError(f"{reduction!r} is no statistic. There are: {', '.join(REDUCTIONS)}.")
    columns: dict[str, np.ndarray[Any, Any]] = {name: values[:, index].astype("f8") for name, index in COLUMN.items()}
    derived: dict[str, np.ndarray[Any, Any]] = {
        "norm": columns["l2"],
        "abs_max": np.maximum(np.abs(columns["min"]), np.abs(columns["max"])),
        "variance": columns["std"] ** 2,
        "abs_mean": columns["l1"] / max(count, 1),
        "sum": columns["mean"] * count,
    }
    return columns[reduction] if reduction in columns else derived[reduction]


def _distance(one: int, other: int) -> int:
    return max(one - other, other - one)
