"""Samples: seeded, the same rows each time, in their order."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.wrangler.sources.sampling import random_rows, stratified_rows

CONTENT = "n,g\n" + "".join(f"{number},{'a' if number % 10 else 'b'}\n" for number in range(1000))


def sampled(opened, **sampling):
    return opened("a.csv", CONTENT, sampling=sampling)[1]


def test_samples_take_what_they_say(opened):
    assert [row["n"] for row in sampled(opened, method="first", rows=3)] == [0, 1, 2]
    rows = [row["n"] for row in sampled(opened, method="random", rows=100, seed=1)]
    assert len(set(rows)) == 100 and rows == sorted(rows) and rows[-1] > 900
    assert rows == [row["n"] for row in sampled(opened, method="random", rows=100, seed=1)]
    assert rows != [row["n"] for row in sampled(opened, method="random", rows=100, seed=2)]
    counts = Counter(row["g"] for row in sampled(opened, method="stratified", rows=50, column="g"))
    assert counts == {"a": 45, "b": 5}
    assert len(sampled(opened, method="random", rows=5000)) == 1000


def test_the_rows_of_a_seed_never_change():
    assert random_rows(1000, 5, 0).tolist() == [0, 293, 521, 851, 901]


def test_a_stratified_sample_needs_its_column(opened):
    with pytest.raises(InvalidArgumentError, match="'x' is not one of n, g"):
        sampled(opened, method="stratified", rows=5, column="x")
    with pytest.raises(InvalidArgumentError, match="'n' has 1,000 values"):
        sampled(opened, method="stratified", rows=5, column="n")


@given(st.lists(st.integers(0, 5), min_size=1, max_size=200), st.integers(1, 200), st.integers())
def test_strata_keep_their_shares(codes, rows, seed):
    codes = np.unique(codes, return_inverse=True)[1]
    chosen = stratified_rows(codes, rows, seed)
    assert len(chosen) == len(set(chosen.tolist())) == min(rows, len(codes))
    sizes, taken = np.bincount(codes), np.bincount(codes[chosen], minlength=codes.max() + 1)
    assert np.all(np.abs(taken - sizes * len(chosen) / len(codes)) < 1)


def test_rows_are_taken_evenly():
    counts = np.zeros(100)
    for seed in range(400):
        counts[random_rows(100, 10, seed)] += 1
    assert counts.min() > 15 and counts.max() < 70
