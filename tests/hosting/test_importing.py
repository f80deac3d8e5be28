"""Workers import less of a library than it would itself; what was left out is there when it is asked for."""

from __future__ import annotations

import subprocess
import sys

XGBOOST = """
import sys
from kernel_tools.hosting.importing import import_for
import_for("xgboost-ubj")
later = {"scipy.stats", "sklearn.model_selection"}
assert not later & sys.modules.keys(), later & sys.modules.keys()
import numpy as np, xgboost
X, y = np.arange(40.0).reshape(20, 2), np.arange(20) % 2
model = xgboost.XGBClassifier(n_estimators=2).fit(X, y)
model.predict_proba(X)
assert not later & sys.modules.keys(), later & sys.modules.keys()
from sklearn.utils import fixes
assert fixes.scipy.stats.mode([1, 1, 2]).count == 2
data = xgboost.DMatrix(X, y)
assert len(xgboost.cv({"objective": "binary:logistic"}, data, 2, nfold=2, stratified=True)) == 2
from sklearn.model_selection import KFold, StratifiedKFold
assert isinstance(xgboost.compat.XGBStratifiedKFold(2), StratifiedKFold)
"""


def test_xgboost_comes_without_what_only_training_needs():
    done = subprocess.run([sys.executable, "-c", XGBOOST], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
