"""A small model that is cheap to register."""

from __future__ import annotations

import pytest
from sklearn.linear_model import LogisticRegression


@pytest.fixture(scope="session")
def model() -> LogisticRegression:
    return LogisticRegression().fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])
