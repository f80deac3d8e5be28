"""Estimators of scikit-learn that learn in parts, and go on where they were."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from kernel_tools.jobs.checkpointing.loop import Checkpointer

Estimator = TypeVar("Estimator")
_FILE = "estimator.skops"


def partial_fit(
    estimator: Estimator,
    batches: Iterable[tuple[Any, ...]],
    *,
    every: float | str | None = None,
    keep: int | None = None,
    folder: str | os.PathLike[str] | None = None,
    **options: Any,
) -> Estimator:
    """Call ``estimator.partial_fit(*batch, **options)`` for every batch, and go on from the newest checkpoint.

    Parameters
    ----------
    estimator
        Any estimator with ``partial_fit``; it is changed and returned. What a checkpoint holds is put into it.
    batches
        The arguments of each call, such as ``(X, y)``, in the same order in every attempt; those that are done are
        drawn
        and dropped.
    every, keep, folder
        See `Checkpointer`.
    options
        Such as ``classes=[0, 1]``.
    """

    def save(place: Path) -> None:
        import skops.io

        skops.io.dump(estimator, place / _FILE)

    def load(place: Path) -> None:
        import skops.io

        trusted = skops.io.get_untrusted_types(
            file=place / _FILE
        )  # the estimator's own types, which the caller gave us
        known = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(estimator).__mro__}
        restored = skops.io.load(place / _FILE, trusted=[name for name in trusted if name in known])
        estimator.__dict__.update(restored.__dict__)

    checkpointer = Checkpointer(every=every, keep=keep, folder=folder, save=save, load=load)
    done = checkpointer.restore()
    for number, batch in enumerate(batches, 1):
        if number > done:
            estimator.partial_fit(*batch, **options)  # type: ignore[attr-defined]  # said in the documentation
            checkpointer.step(number)
    checkpointer.finish()
    return estimator
