"""The polars code of each case runs alone and gives the engine's table, or is refused with a way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.wrangler.frame_parity import CASES, check, check_ten_steps

UNSAID = {
    "custom_sql[",
    "flatten_json[",
    "format_string[columns=['text'], method=center_pad",
    "format_string[columns=['text'], method=swap_case",
    "parse_datetime[columns=['spoken'], format=%d %b %y",
    "standardize_length[",
    "window[function=std, frame=cumulative",
}
"""How the names of the cases begin that have no polars code."""


@pytest.mark.parametrize("place", range(len(CASES)), ids=lambda place: CASES[place].id)
def test_the_code_gives_what_the_engine_gives(place: int) -> None:
    check(place, "polars", UNSAID)


def test_a_recipe_of_many_steps_runs_alone_on_its_files(tmp_path: Path) -> None:
    check_ten_steps(tmp_path, "polars")
