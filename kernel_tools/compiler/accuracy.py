"""What a package that rounds its numbers loses, and how much of that is allowed."""

from __future__ import annotations

from typing import Any

import msgspec

from kernel_tools.compiler.manifest import Parity
from kernel_tools.compiler.parity import ParityError, describe_worst, explained
from kernel_tools.core.errors import InvalidArgumentError


def measure_accuracy(parity: Parity, original: dict[str, Any], compiled: dict[str, Any], labels: Any) -> Parity:
    """Return the parity with the agreement of the two answers and, with true labels, what of the accuracy is lost.

    Answers with two or more values for each row are taken for scores of classes if the labels are whole numbers or
    there are none: the class is the one of the highest score.

    Raises
    ------
    InvalidArgumentError
        If there is another number of labels than rows.
    """
    import numpy as np

    given, made = (_decided(answer) for answer in (original, compiled))
    is_class = given.dtype.kind not in "fc"
    if labels is None:
        agreement = float((given == made).mean()) if is_class else explained(given, made)
        return msgspec.structs.replace(parity, agreement=agreement)
    truth = np.asarray(labels)
    if len(truth) != len(given):
        raise InvalidArgumentError(f"There are {len(truth):,} labels for {len(given):,} rows of the sample.")
    if is_class:
        agreement = float((given == made).mean())
        loss = float((given == truth).mean() - (made == truth).mean())
    else:
        agreement = explained(given, made)
        loss = explained(truth.astype(float), given) - explained(truth.astype(float), made)
    return msgspec.structs.replace(parity, agreement=agreement, loss=loss)


def _decided(answer: dict[str, Any]) -> Any:
    import numpy as np

    predictions = np.asarray(answer["predictions"])
    if predictions.dtype.kind == "f" and predictions.ndim == 2 and predictions.shape[1] > 1:
        return predictions.argmax(axis=1)
    return predictions.astype(np.float64) if predictions.dtype.kind == "f" else predictions


def require_accuracy(parity: Parity, max_loss: float, target: str) -> None:
    """Raise ParityError if more is lost than `max_loss`: of the accuracy, or without labels of the agreement."""
    if parity.loss is not None and parity.loss > max_loss:
        raise ParityError(
            f"The target {target!r} loses {parity.loss:.2%} of the accuracy on the sample, and {max_loss:.2%} is "
            f"allowed. {describe_worst(parity)} Give a sample that is more like the data, or a greater max_loss=.",
            parity,
        )
    if parity.loss is None and parity.agreement < 1 - max_loss:
        raise ParityError(
            f"The target {target!r} agrees with the original on {parity.agreement:.2%} of the sample, and "
            f"{1 - max_loss:.2%} is asked for. {describe_worst(parity)} Give labels= to measure the accuracy instead, "
            "a sample that is more like the data, or a greater max_loss=.",
            parity,
        )
