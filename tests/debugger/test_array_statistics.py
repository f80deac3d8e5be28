"""Statistics of numpy arrays are those that PyTorch's tensors have."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel_tools.debugger.array_statistics import statistics_of
from kernel_tools.debugger.pytorch.reductions import reduce_flat
from kernel_tools.debugger.records import COLUMN


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=400))
def test_a_row_is_the_one_that_a_tensor_of_the_same_values_has(values: list[float]) -> None:
    flat = np.array(values, "f4")
    expected = reduce_flat(flat, np.zeros(1, "i8"))[0]
    assert statistics_of(flat) == pytest.approx(expected, rel=1e-4, abs=1e-2, nan_ok=True)


def test_what_is_not_finite_is_counted_and_left_out() -> None:
    row = statistics_of(np.array([np.nan, np.inf, -np.inf, 0.0, 3.0]))
    assert row[:5].tolist() == pytest.approx([1, 2, 0.2, 0, 3])
    assert row[COLUMN["mean"]] == 1.5


@pytest.mark.parametrize("values", [[], [np.nan, np.nan]])
def test_nothing_finite_has_no_mean(values: list[float]) -> None:
    assert np.isnan(statistics_of(np.array(values))[COLUMN["mean"]])
