"""Real data for the tests of boosting."""

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.model_selection import train_test_split

Split = tuple[Any, Any, Any, Any]


@pytest.fixture(scope="session")
def cancer() -> Split:
    """Return features and labels of training and validation: 569 rows, 30 named features, two classes."""
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    return tuple(train_test_split(X, np.asarray(y), random_state=0))  # type: ignore[return-value]


@pytest.fixture(scope="session")
def digits() -> Split:
    """Return features and labels of training and validation: 1,797 rows, 64 features, ten classes."""
    X, y = load_digits(return_X_y=True)
    return tuple(train_test_split(X / 16, y, random_state=0))  # type: ignore[return-value]
