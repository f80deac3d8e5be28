"""The Debugger: what happens inside training, what is wrong with it, and what to do about it.

>>> hook = kt.debugger.watch(model, optimizer=optimizer)      # doctest: +SKIP
>>> kt.debugger.findings(run)                                 # doctest: +SKIP
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kernel_tools.debugger.actions import Call, Email, Notify, SaveCheckpoint, StopTraining, Webhook
    from kernel_tools.debugger.boosting.lightgbm import LightGBMCallback
    from kernel_tools.debugger.boosting.xgboost import XGBoostCallback
    from kernel_tools.debugger.estimators import watch_estimator
    from kernel_tools.debugger.finding import Advice, Finding, Findings, RuleState, RuleStatus, Severity
    from kernel_tools.debugger.opening import evaluate, export, findings, open
    from kernel_tools.debugger.profiling.report import profile_report
    from kernel_tools.debugger.pytorch.hook import Hook, TrainingStopped
    from kernel_tools.debugger.records import Config, Mode, SaveConfig
    from kernel_tools.debugger.rules import Rule
    from kernel_tools.debugger.tensor import Tensor
    from kernel_tools.debugger.trial import Trial
    from kernel_tools.debugger.watching import watch

_LAZY = {
    "Advice": "finding",
    "Call": "actions",
    "Config": "records",
    "Email": "actions",
    "evaluate": "opening",
    "export": "opening",
    "Finding": "finding",
    "Findings": "finding",
    "findings": "opening",
    "Hook": "pytorch.hook",
    "LightGBMCallback": "boosting.lightgbm",
    "Mode": "records",
    "Notify": "actions",
    "open": "opening",
    "profile_report": "profiling.report",
    "Rule": "rules",
    "RuleState": "finding",
    "RuleStatus": "finding",
    "SaveCheckpoint": "actions",
    "SaveConfig": "records",
    "Severity": "finding",
    "StopTraining": "actions",
    "Tensor": "tensor",
    "TrainingStopped": "pytorch.hook",
    "Trial": "trial",
    "watch": "watching",
    "watch_estimator": "estimators",
    "Webhook": "actions",
    "XGBoostCallback": "boosting.xgboost",
}
__all__ = [
    "Advice",
    "Call",
    "Config",
    "Email",
    "evaluate",
    "export",
    "Finding",
    "Findings",
    "findings",
    "Hook",
    "LightGBMCallback",
    "Mode",
    "Notify",
    "open",
    "profile_report",
    "Rule",
    "RuleState",
    "RuleStatus",
    "SaveCheckpoint",
    "SaveConfig",
    "Severity",
    "StopTraining",
    "Tensor",
    "TrainingStopped",
    "Trial",
    "watch",
    "watch_estimator",
    "Webhook",
    "XGBoostCallback",
]


def __getattr__(name: str) -> Any:
    if name in ("actions", "figures", "rules"):
        return importlib.import_module(f"{__name__}.{name}")
    if name in _LAZY:
        return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has: {', '.join(__all__)}")
