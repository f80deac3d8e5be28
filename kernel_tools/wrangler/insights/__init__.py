"""What is wrong with a table, and which steps mend it: checks, predictive power, a quick model, a report."""

from kernel_tools.wrangler.insights.checking import CHECKS, insights
from kernel_tools.wrangler.insights.finding import CheckState, Finding, Report, Suggestion

__all__ = ["CHECKS", "CheckState", "Finding", "Report", "Suggestion", "insights"]
