"""The Debugger: what happens inside training, what is wrong with it, and what to do about it.

>>> hook = kt.debugger.watch(model, optimizer=optimizer)      # doctest: +SKIP
>>> kt.debugger.findings(run)                                 # doctest: +SKIP
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kernel_tools.debugger.findings import Advice, Finding, Findings, RuleState, RuleStatus, Severity
    from kernel_tools.debugger.records import Config, Mode, SaveConfig
    from kernel_tools.debugger.rules import Rule
    from kernel_tools.debugger.tensor import Tensor
    from kernel_tools.debugger.trial import Trial

_LAZY = {
    "Advice": "findings",
    "Config": "records",
    "Finding": "findings",
    "Findings": "findings",
    "Mode": "records",
    "Rule": "rules",
    "RuleState": "findings",
    "RuleStatus": "findings",
    "SaveConfig": "records",
    "Severity": "findings",
    "Tensor": "tensor",
    "Trial": "trial",
}
__all__ = [
    "Advice",
    "Config",
    "Finding",
    "Findings",
    "Mode",
    "Rule",
    "RuleState",
    "RuleStatus",
    "SaveConfig",
    "Severity",
    "Tensor",
    "Trial",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has: {', '.join(__all__)}")
