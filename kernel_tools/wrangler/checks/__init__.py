"""What is wrong with a table, and which steps mend it: checks, predictive power, a quick model, a report."""

from kernel_tools.wrangler.checks.checking import CHECKS, insights
from kernel_tools.wrangler.checks.finding import CheckState, Finding, Report, Suggestion
from kernel_tools.wrangler.checks.report_page import report_notebook, report_page

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
