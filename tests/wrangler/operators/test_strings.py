"""Text that is edited by regular expressions: what is refused, and in which words."""

from __future__ import annotations

from typing import Any

import pytest

from kernel_tools.wrangler.operators.base import StepError
from tests.wrangler.operators.running import column

WORDS = {"text": ["feed", "", None, "é1"]}


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"method": "replace", "pattern": "e", "replacement": "\\"}, "replacement"),
        ({"method": "replace", "pattern": "(e)", "replacement": r"\2"}, "replacement"),
        ({"method": "extract", "pattern": "(e)", "group": 2}, "group"),
        ({"method": "extract", "pattern": "(e"}, "pattern"),
    ],
)
def test_an_expression_that_cannot_be_is_refused_before_it_runs(params: dict[str, Any], field: str) -> None:
    with pytest.raises(StepError) as caught:
        column("edit_string", {"columns": ["text"], **params}, "text", WORDS)
    assert caught.value.field == field


def test_a_replacement_may_name_the_groups_of_the_expression() -> None:
    params = {"columns": ["text"], "method": "replace", "pattern": r"(\p{L})(\d)", "replacement": r"\2\1"}
    assert column("edit_string", params, "text", WORDS) == ["feed", "", None, "1é"]
