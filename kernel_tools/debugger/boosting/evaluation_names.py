"""What evaluation sets are called: which is the data that is learned from, and which the data to validate with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from kernel_tools.debugger.records import Mode

_TRAIN = re.compile(r"^(d?train(ing)?)(_.*)?$|^learn$", re.I)
_NUMBERED = re.compile(r"^validation_\d+$")


def name_sets(
    names: Sequence[str], train: str | None = None, validation: str | None = None
) -> dict[str, tuple[Mode, str]]:
    """Return mode and shown name of every evaluation set.

    The set that is learned from becomes "train", the only other one "validation"; several others keep their names.
    Where all have the names that scikit-learn's interface gives (validation_0, validation_1), the first of several
    is taken for the one that is learned from, as in the libraries' own examples; `train` says otherwise.
    """
    if train is None:
        train = next((name for name in names if _TRAIN.match(name)), None)
        numbered = [name for name in names if _NUMBERED.match(name)]
        if train is None and len(names) > 1 and len(numbered) == len(names):
            train = names[0] if names[0] != validation else None
    others = [name for name in names if name != train]
    found = {name: (Mode.EVAL, name) for name in others}
    if validation is not None and validation in others:
        found[validation] = (Mode.EVAL, "validation")
    elif len(others) == 1:
        found[others[0]] = (Mode.EVAL, "validation")
    if train is not None and train in names:
        found[train] = (Mode.TRAIN, "train")
    return found


def first_loss(metrics: Iterable[tuple[tuple[Mode, str], float]]) -> float:
    """Return the loss of training among a round's metrics; NaN if there is none."""
    from kernel_tools.debugger.loss_metrics import is_loss

    return next((value for (mode, name), value in metrics if mode is Mode.TRAIN and is_loss(name, mode)), float("nan"))
