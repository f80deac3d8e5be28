"""Cases of the operators that the others were modelled on."""

from __future__ import annotations

from tests.wrangler.cases import Case

CASES = [
    Case("drop", {"columns": ["age", "job"]}),
    Case("impute", {"columns": ["age", "income"], "strategy": "median"}, new="new_people"),
    Case("impute", {"columns": ["age", "income"], "strategy": "mean"}, new="new_people"),
    Case("impute", {"columns": ["job", "is_member", "born"], "strategy": "mode"}, new="new_people"),
    Case("one_hot", {"columns": ["job"], "max_categories": 3}, new="new_people"),
]
