"""What is wrong with a table, and which steps mend it: checks, predictive power, a quick model, a report."""

import sys
from types import ModuleType
from typing import Any

from kernel_tools.wrangler.insights.checking import CHECKS, insights
from kernel_tools.wrangler.insights.finding import CheckState, Finding, Report, Suggestion
from kernel_tools.wrangler.insights.report_page import report_notebook, report_page

__all__ = [
    "CHECKS",
    "CheckState",
    "Finding",
    "Report",
    "Suggestion",
    "insights",
    "report_notebook",
    "report_page",
]


class _Callable(ModuleType):
    """This package, which can be called as `kernel_tools.wrangler.looking.insights`.

    Once imported, it is what ``kt.wrangler.insights`` means: Python makes a package an attribute of the one above it.
    """

    def __call__(self, data: Any, **options: Any) -> Report:
        from kernel_tools.wrangler.looking import insights as look

        return look(data, **options)


sys.modules[__name__].__class__ = _Callable
