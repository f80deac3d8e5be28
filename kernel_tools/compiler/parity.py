"""Whether a compiled model answers like the original: the differences, the labels that changed, the worst rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from kernel_tools.compiler.manifest import Parity
from kernel_tools.core.errors import ConflictError

if TYPE_CHECKING:
    import numpy as np

SHOWN_WORST = 5


class ParityError(ConflictError):
    """A compiled model that does not answer like the original.

    Attributes
    ----------
    parity
        The numbers, and the rows that differ most.
    """

    def __init__(self, message: str, parity: Parity) -> None:
        super().__init__(message)
        self.parity = parity


def compare_answers(original: dict[str, Any], compiled: dict[str, Any], tolerance: float) -> Parity:
    """Compare two answers to the same rows.

    Differences of values beyond 1 are relative to the original's; probabilities and smaller values absolute. A row
    whose label changed counts as a tie if the original's two best classes are not further apart than the tolerance.

    Parameters
    ----------
    original, compiled
        ``predictions`` and, of classifiers, ``probabilities``, with one item for each row.
    tolerance
        The greatest difference that is allowed.
    """
    import numpy as np

    given, made = original["predictions"], compiled["predictions"]
    rows = len(given)
    if len(made) != rows:
        raise ConflictError(f"The compiled model gives {len(made)} answers to {rows} rows.")
    changed = ties = np.zeros(rows, dtype=bool)
    agreement = 1.0
    if "probabilities" in original and "probabilities" in compiled:
        differences = row_differences(original["probabilities"], compiled["probabilities"])
        other = labels_of(given) != labels_of(made)
        best = np.sort(np.asarray(original["probabilities"], dtype=np.float64), axis=1)
        margins = best[:, -1] - best[:, -2] if best.shape[1] > 1 else np.full(rows, np.inf)
        ties, changed = other & (margins <= tolerance), other & (margins > tolerance)
        agreement = 1.0 - float(other.mean()) if rows else 1.0
    elif is_table(given):
        differences = _table_differences(given, made)
    elif np.asarray(given).dtype.kind in "fc":
        differences = row_differences(given, made)
        agreement = explained(np.asarray(given, dtype=np.float64), np.asarray(made, dtype=np.float64))
    else:
        changed = labels_of(given) != labels_of(made)
        differences = changed.astype(np.float64)
        agreement = 1.0 - float(changed.mean()) if rows else 1.0
    worst = np.argsort(-(differences + 1e9 * changed), kind="stable")[:SHOWN_WORST]
    return Parity(
        rows=rows,
        tolerance=tolerance,
        max_difference=_finite(differences.max(initial=0.0)),
        mean_difference=_finite(differences.mean()) if rows else 0.0,
        labels_changed=int(changed.sum()),
        ties=int(ties.sum()),
        agreement=agreement,
        worst=[
            {
                "row": int(row),
                "original": _shown(original, int(row)),
                "compiled": _shown(compiled, int(row)),
                "difference": _finite(differences[row]),
            }
            for row in worst
            if differences[row] > 0 or changed[row]
        ],
    )


def is_exact(parity: Parity) -> bool:
    """Whether all differences are within the tolerance, and no label changed but ties."""
    return parity.max_difference <= parity.tolerance and parity.labels_changed == 0


def require_exact(parity: Parity, what: str) -> None:
    """Raise ParityError with the numbers and the worst rows if the answers are not the same within the tolerance."""
    if is_exact(parity):
        return
    reasons = []
    if parity.max_difference > parity.tolerance:
        reasons.append(f"differs by up to {parity.max_difference:.3g} (tolerance {parity.tolerance:g})")
    if parity.labels_changed:
        reasons.append(f"gives {parity.labels_changed} of {parity.rows:,} rows another label")
    raise ParityError(
        f"{what} {' and '.join(reasons)}. {describe_worst(parity)} Give a greater tolerance= only if that is good "
        "enough for you.",
        parity,
    )


def describe_worst(parity: Parity) -> str:
    """Return the worst rows as a sentence."""
    shown = "; ".join(f"row {row['row']}: {row['original']} became {row['compiled']}" for row in parity.worst[:3])
    return f"The worst rows of the sample: {shown}." if shown else ""


def row_differences(given: Any, made: Any) -> np.ndarray:
    """Return the greatest difference of each row; both missing is none, one missing is infinite."""
    import numpy as np

    first = np.asarray(given, dtype=np.float64)
    second = np.asarray(made, dtype=np.float64)
    if first.shape != second.shape and first.size == second.size:
        second = second.reshape(first.shape)
    if first.shape != second.shape:
        raise ConflictError(f"The compiled model gives the shape {second.shape}, the original {first.shape}.")
    with np.errstate(invalid="ignore"):
        differences = np.abs(first - second) / np.maximum(1.0, np.abs(first))
    same = (np.isnan(first) & np.isnan(second)) | (first == second)
    differences = np.where(same, 0.0, np.where(np.isnan(differences), np.inf, differences))
    greatest: np.ndarray = differences.reshape(len(first), -1).max(axis=1, initial=0.0)
    return greatest


def labels_of(predictions: Any) -> np.ndarray:
    """Return labels as an array of texts and numbers that can be compared."""
    import numpy as np

    values = predictions.tolist() if hasattr(predictions, "tolist") else list(predictions)
    array = np.empty(len(values), dtype=object)
    array[:] = [tuple(value) if isinstance(value, list) else value for value in values]
    return array


def is_table(predictions: Any) -> bool:
    """Say whether predictions are rows of named columns."""
    return isinstance(predictions, list) and bool(predictions) and isinstance(predictions[0], dict)


def _table_differences(given: list[dict[str, Any]], made: list[dict[str, Any]]) -> np.ndarray:
    import numpy as np

    found = np.zeros(len(given))
    for row, (first, second) in enumerate(zip(given, made, strict=True)):
        for name, value in first.items():
            other = second.get(name)
            numbers = [isinstance(one, (int, float)) and not isinstance(one, bool) for one in (value, other)]
            if all(numbers):
                found[row] = max(found[row], abs(value - other) / max(1.0, abs(value)))
            elif value != other:
                found[row] = math.inf
    return found


def explained(given: np.ndarray, made: np.ndarray) -> float:
    """Return R² of the second against the first: 1 - sum of squared differences / sum of squared deviations."""
    import numpy as np

    if given.shape != made.shape:
        made = made.reshape(given.shape)
    known = np.isfinite(given) & np.isfinite(made)
    given, made = given[known], made[known]
    spread = float(((given - given.mean()) ** 2).sum()) if given.size else 0.0
    error = float(((given - made) ** 2).sum())
    return 1.0 - error / spread if spread > 0 else float(error == 0)


def _shown(answer: dict[str, Any], row: int) -> Any:
    """One answer in few characters, for a message and the manifest."""
    predictions = answer["predictions"]
    if is_table(predictions):
        return str(predictions[row])[:200]
    value = predictions[row]
    value = value.tolist() if hasattr(value, "tolist") else value
    if "probabilities" in answer:
        return f"{value} ({max(answer['probabilities'][row]):.6g})"
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)[:200]


def _finite(value: Any) -> float:
    """JSON has no infinity."""
    return float(min(float(value), 1.7976931348623157e308))
