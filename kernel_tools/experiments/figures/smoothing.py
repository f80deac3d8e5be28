"""Smoothing of curves: the exponential moving average that TensorBoard draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_tools.core.errors import InvalidArgumentError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def smooth(values: NDArray[np.float64], weight: float) -> NDArray[np.float64]:
    """Return the exponential moving average of a series, without the bias towards 0 at its beginning.

    Parameters
    ----------
    values
        The series in its order, shape (n,). NaN and infinities stay where they are and are in no average.
    weight
        What the past weighs, 0 (nothing is smoothed) to below 1.

    Notes
    -----
    ``s[i] = m[i] / (1 - weight**(i + 1))`` with ``m[i] = weight * m[i - 1] + (1 - weight) * x[i]``, ``m[-1] = 0``: the
    correction of Kingma and Ba (2015, section 3), as in TensorBoard. Points count alike however far apart their steps
    are.
    """
    import numpy as np
    from scipy.signal import lfilter

    validate_smoothing(weight)
    if weight == 0 or len(values) == 0:
        return values
    is_finite = np.isfinite(values)
    finite = values[is_finite]
    biased = lfilter([1 - weight], [1, -weight], finite)
    means = biased / -np.expm1(np.arange(1, len(finite) + 1) * np.log(weight))
    smoothed = np.array(values, dtype=np.float64)
    # A mean lies between the extremes so far; this takes away what rounding adds, so that a constant stays constant.
    smoothed[is_finite] = np.clip(means, np.minimum.accumulate(finite), np.maximum.accumulate(finite))
    return smoothed


def validate_smoothing(weight: float) -> None:
    """Raise InvalidArgumentError if a weight cannot smooth."""
    if not 0 <= weight < 1:
        raise InvalidArgumentError(f"smoothing is {weight}: give a weight from 0 (none) to below 1, such as 0.6.")
