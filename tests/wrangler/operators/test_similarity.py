"""Hashes and similarities of text, against scikit-learn and skrub."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import skrub
from sklearn.feature_extraction import FeatureHasher

from tests.wrangler.operators.fitting import fit

WORDS = ["clerk", "Clerk ", "clerks", None, "", "pilot", "chef", "chef de cuisine", "🎸"] * 4
OTHERS = ["a", None, "b"] * 12


def matrix(found: pa.Table) -> np.ndarray:
    """Return the rows of a table as floats."""
    return np.column_stack([found[name].to_numpy() for name in found.column_names])


def test_hashes_are_those_of_scikit_learn() -> None:
    found = fit("hashing_encode", {"columns": ["w", "o"], "features": 8}, {"w": WORDS, "o": OTHERS}).training
    words = [
        [f"{name}={value}" for name, value in zip("wo", row, strict=True) if value is not None]
        for row in zip(WORDS, OTHERS, strict=True)
    ]
    expected = FeatureHasher(8, input_type="string").transform(words).toarray()
    np.testing.assert_array_equal(matrix(found), expected)


def test_smallest_hashes_are_those_of_skrub() -> None:
    fitted = fit("similarity_encode", {"columns": ["w"], "components": 6}, {"w": WORDS})
    expected = skrub.MinHashEncoder(n_components=6, ngram_range=(3, 3)).fit_transform(pd.Series(WORDS, name="w"))
    np.testing.assert_array_equal(matrix(fitted.training), expected.to_numpy())
    new = fitted.apply({"w": ["never seen", "clerk", None]})
    assert matrix(new)[1].tolist() == matrix(fitted.training)[0].tolist()


def test_weighted_pieces_are_those_of_skrub() -> None:
    fitted = fit("similarity_encode", {"columns": ["w"], "method": "tfidf", "components": 5}, {"w": WORDS})
    text = pd.Series([word or "" for word in WORDS], name="w")
    oracle = skrub.StringEncoder(n_components=5, random_state=0)
    found, expected = matrix(fitted.training), oracle.fit_transform(text).to_numpy()
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-4)
    new = matrix(fitted.apply({"w": ["clerk", None, "quite another"]}))
    np.testing.assert_allclose(new[0], found[0], atol=1e-6)
    assert not new[1].any()


def test_text_without_a_piece_has_no_columns() -> None:
    fitted = fit("similarity_encode", {"columns": ["w"], "method": "tfidf"}, {"w": ["", None], "x": [1, 2]})
    assert fitted.training.column_names == ["x"]
