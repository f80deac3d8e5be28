"""A model that does harm when it is asked to, for the workers of endpoints to survive."""

from __future__ import annotations

import os
import signal
import threading

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin

FINE, CRASH, HANG, LEAK = range(4)
LEAKED_BYTES = 100_000_000
_kept: list[bytes] = []


class HarmfulRegressor(RegressorMixin, BaseEstimator):
    """Predicts the number of its process, and does what the first value of a row says before."""

    def fit(self, X, y):
        """Learn nothing."""
        self.n_features_in_ = np.asarray(X).shape[1]
        return self

    def predict(self, X):
        """Return the process id for each row."""
        match int(np.asarray(X)[:, 0].max()):  # requests may come as one batch
            case 1:
                os.kill(os.getpid(), signal.SIGSEGV)
            case 2:
                threading.Event().wait()
            case 3:
                _kept.append(b"x" * LEAKED_BYTES)
        return np.full(len(X), float(os.getpid()))
