"""The exponents of power transforms that make the likelihood of a normal distribution the greatest.

The likelihoods are those of scipy.stats.boxcox_llf and yeojohnson_llf, written so that no value overflows on the way to
one that does not matter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

SAFE = 300.0
"""The exponential of twice as much is still a number."""


def box_cox_exponent(values: np.ndarray) -> float:
    """Return the exponent for positive numbers of shape (rows,); 1 if they do not differ."""
    import numpy as np

    logs = np.log(values)
    if len(values) < 2 or np.ptp(logs) == 0:
        return 1.0
    logs = logs - logs.mean()

    def cost(exponent: float) -> float:
        return _log_variance([(logs, exponent, 1)])

    return _minimum(cost)


def yeo_johnson_exponent(values: np.ndarray) -> float:
    """Return the exponent for numbers of shape (rows,); 1 if they do not differ."""
    import numpy as np

    if len(values) < 2 or values.min() == values.max():
        return 1.0
    is_positive = values >= 0
    logs = np.log1p(np.abs(values))
    above, below = logs[is_positive], logs[~is_positive]
    shift = float(above.sum() - below.sum()) / len(values)

    def cost(exponent: float) -> float:
        return _log_variance([(above, exponent, 1), (below, 2 - exponent, -1)]) - 2 * (exponent - 1) * shift

    return _minimum(cost)


def _log_variance(parts: list[tuple[np.ndarray, float, int]]) -> float:
    """Return the logarithm of the variance of sign * (exp(exponent * log) - 1) / exponent, over all parts together."""
    import numpy as np

    most = max(float((exponent * logs).max(initial=0.0)) for logs, exponent, _ in parts)
    scale = most if most > SAFE else 0.0
    raised = [
        sign * (logs * np.exp(-scale) if exponent == 0 else _power(exponent * logs, scale) / exponent)
        for logs, exponent, sign in parts
    ]
    return float(np.log(np.var(np.concatenate(raised)))) + 2 * scale


def _power(exponents: np.ndarray, scale: float) -> np.ndarray:
    import numpy as np

    raised: np.ndarray = np.exp(exponents - scale) - np.exp(-scale) if scale else np.expm1(exponents)
    return raised


def _minimum(cost: Callable[[float], float]) -> float:
    import numpy as np
    from scipy.optimize import brent, minimize_scalar

    def bounded(exponent: float) -> float:
        with np.errstate(all="ignore"):
            found = cost(exponent)
        return found if np.isfinite(found) else np.inf

    try:
        return float(brent(bounded, brack=(-2, 2)))
    except RuntimeError:  # no bracket: the likelihood rises to one side
        return float(minimize_scalar(bounded, bounds=(-20, 20), method="bounded").x)
