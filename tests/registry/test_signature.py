"""Signatures: inferred from samples, kept as JSON, and the door where rows become the table that the model knows."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kernel_tools.core.errors import IntegrityError, InvalidArgumentError, InvalidDataError
from kernel_tools.registry.rows import RowReader, read_tensor, rows_to_frame
from kernel_tools.registry.signature import Column, ColumnType, Signature, Tensor, infer_signature

ZONED = pd.to_datetime(["2024-01-31T12:00:00.000001Z", "1999-12-31T00:00:00Z"], format="ISO8601")


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "long": [1, -(2**60)],
            "small": np.array([1, 2], dtype=np.uint8),
            "double": [0.1, 1e300],
            "single": np.array([0.1, -3.0], dtype=np.float32),
            "flag": [True, False],
            "text": ["ä", "b"],
            "object": pd.Series(["x", "y"], dtype=object),
            "naive": ZONED.tz_localize(None),
            "zoned": ZONED,
            "nullable": pd.array([1, 2], dtype="Int64"),
            "maybe": pd.array([True, False], dtype="boolean"),
            "category": pd.Categorical(["b", "a"], categories=["c", "b", "a"]),
            "number_category": pd.Categorical([3, 1], categories=[3, 1, 2], ordered=True),
            "share_category": pd.Categorical([0.5, 1.0]),
            "flag_category": pd.Categorical([True, False]),
        }
    )


def as_json_rows(frame: pd.DataFrame) -> list[dict[str, object]]:
    return json.loads(json.dumps(frame.astype(object).where(frame.notna(), None).to_dict("records"), default=to_json))


def to_json(value):
    return value.isoformat() if hasattr(value, "isoformat") else value.item()


def test_every_column_type_is_inferred_and_rows_come_back_with_the_same_dtypes(table):
    signature = infer_signature(table.head(0).astype({"object": "str"}))
    assert [column.type.value for column in signature.columns] == (
        ["long", "long", "double", "double", "boolean", "string", "string", "datetime", "datetime", "long", "boolean"]
        + ["string", "long", "double", "boolean"]
    )
    result = rows_to_frame(infer_signature(table), as_json_rows(table))
    pd.testing.assert_frame_equal(result, table)


def test_missing_values_are_allowed_where_the_dtype_can_hold_them(table):
    signature = infer_signature(table)
    required = [column.name for column in signature.columns if not column.nullable]
    assert required == ["long", "small", "flag"]
    holes = table.head(1).copy()
    for name in set(table.columns) - set(required):
        holes[name] = pd.Series([None], dtype=table[name].dtype)
    result = rows_to_frame(signature, as_json_rows(holes))
    assert list(result.columns[result.isna().any()]) == [name for name in table.columns if name not in required]
    assert (result.dtypes == table.dtypes).all()


def test_categories_keep_their_order_even_if_the_sample_has_few_of_them(table):
    column = infer_signature(table.head(1)).columns[-4]
    assert column == Column("category", ColumnType.STRING, True, ["c", "b", "a"], "category")
    assert infer_signature(table).columns[-3].is_ordered


def test_arrays_and_tensors_have_a_free_first_dimension():
    assert infer_signature(np.zeros((5, 3))) == Signature(tensor=Tensor("float64", [-1, 3]))
    assert infer_signature(torch.zeros(2, 1, 28)) == Signature(tensor=Tensor("float32", [-1, 1, 28]))
    with pytest.raises(InvalidArgumentError, match="no dimension"):
        infer_signature(np.array(3))
    with pytest.raises(InvalidArgumentError, match="bfloat16 cannot be sent as JSON"):
        infer_signature(torch.zeros(2, dtype=torch.bfloat16))


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        (pd.DataFrame({"x": [1j]}), "Column 'x' of the sample has dtype complex128"),
        (pd.DataFrame({"x": [{}]}), "Column 'x' of the sample has dtype object: convert"),
        (pd.DataFrame({"x": pd.Series([None], dtype=object)}), "no value to tell its type"),
        (pd.DataFrame({"x": pd.cut([1, 2], 2)}), "categories of type interval"),
        (pd.DataFrame([[1, 2]], columns=["x", "x"]), "more than one column 'x'"),
        (pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])), "several levels"),
        (pd.DataFrame(), "no columns"),
        ([{"x": 1}], "A list cannot be a sample input"),
    ],
)
def test_a_sample_that_says_too_little_is_refused(sample, message):
    with pytest.raises(InvalidArgumentError, match=message):
        infer_signature(sample)


names = st.text(min_size=1, max_size=5)
category_lists = st.one_of(
    st.tuples(st.just(ColumnType.STRING), st.lists(st.text(max_size=4), unique=True)),
    st.tuples(st.just(ColumnType.LONG), st.lists(st.integers(), unique=True)),
    st.tuples(st.just(ColumnType.DOUBLE), st.lists(st.floats(allow_nan=False, allow_infinity=False), unique=True)),
    st.tuples(st.just(ColumnType.BOOLEAN), st.lists(st.booleans(), unique=True)),
)
plain_columns = st.builds(Column, names, st.sampled_from(ColumnType), st.booleans(), dtype=st.none() | names)
category_columns = st.builds(
    lambda name, typed, ordered: Column(name, typed[0], True, typed[1], "category", ordered),
    names,
    category_lists,
    st.booleans(),
)
tensors = st.builds(Tensor, st.sampled_from(["float32", "int64"]), st.lists(st.integers(-1, 9), max_size=3))
signatures = st.builds(
    Signature,
    st.lists(plain_columns | category_columns, max_size=4),
    st.none() | tensors,
    st.none() | st.lists(st.text(max_size=4), max_size=3),
)


@given(signatures)
def test_a_signature_survives_json(signature):
    restored = Signature.from_dict(json.loads(json.dumps(signature.to_dict())))
    assert restored == signature
    for before, after in zip(signature.columns, restored.columns, strict=True):
        assert list(map(type, before.categories or [])) == list(map(type, after.categories or []))


@pytest.mark.parametrize("data", [{"columns": [{}]}, {"columns": 3}, {"columns": [{"name": "a", "type": "?"}]}, []])
def test_stored_data_that_is_no_signature_is_an_integrity_error(data):
    with pytest.raises(IntegrityError, match="signature cannot be read"):
        Signature.from_dict(data)


AGE = Signature([Column("age", ColumnType.LONG, dtype="int8")])


@given(st.floats() | st.integers() | st.booleans() | st.text() | st.none() | st.lists(st.integers()))
def test_a_whole_number_within_range_is_all_that_fits_a_long(value):
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    fits = is_number and math.isfinite(value) and value == int(value) and -128 <= value <= 127
    if fits:
        assert rows_to_frame(AGE, [{"age": value}])["age"].tolist() == [int(value)]
    else:
        with pytest.raises(InvalidDataError, match="Row 0, column 'age'"):
            rows_to_frame(AGE, [{"age": value}])


@given(st.floats() | st.integers() | st.booleans() | st.text() | st.none())
def test_a_finite_number_or_null_is_all_that_fits_a_double(value):
    signature = Signature([Column("x", ColumnType.DOUBLE, nullable=True)])
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is None or (is_number and abs(value) <= 1.7976931348623157e308):
        result = rows_to_frame(signature, [{"x": value}])["x"]
        assert result.dtype == "float64"
        assert result.isna().all() if value is None else result.tolist() == [float(value)]
    else:
        with pytest.raises(InvalidDataError, match="Row 0, column 'x'"):
            rows_to_frame(signature, [{"x": value}])


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        (Column("x", ColumnType.LONG, dtype="int8"), 300, "300 is out of range. Send a whole number from -128 to 127"),
        (Column("x", ColumnType.DOUBLE, dtype="float32"), 1e39, "out of range for float32"),
        (Column("x", ColumnType.STRING), 3, "3 is a number. Send text"),
        (Column("x", ColumnType.STRING), "y" * 200 + "z", None),
        (Column("x", ColumnType.BOOLEAN), "true", "'true' is text. Send true or false, without quotes"),
        (Column("x", ColumnType.LONG), {}, "an object of 0 items does not fit"),
        (Column("x", ColumnType.LONG), "y" * 200, r"'y{50,60}\.\.\. is text"),
        (Column("x", ColumnType.DATETIME), 1706700000, "Send an ISO 8601 date such as '2024-01-31T12:00:00'"),
        (Column("x", ColumnType.DATETIME), "today", "'today' is not a date"),
        (Column("x", ColumnType.DATETIME), "2024-01-31T12:00:00Z", "has a time zone offset"),
        (Column("x", ColumnType.DATETIME, dtype="datetime64[us, UTC]"), "2024-01-31", "has no time zone offset"),
        (Column("x", ColumnType.DATETIME, dtype="datetime64[ns]"), "9999-12-31", r"cannot be held as datetime64\[ns\]"),
        (
            Column("x", ColumnType.STRING, categories=[str(i) for i in range(30)]),
            "z",
            r"'0', '1', .*'9' and 20 more\.$",
        ),
        (Column("x", ColumnType.LONG, categories=[0, 1]), True, "true is a boolean"),
        (Column("x", ColumnType.BOOLEAN, categories=[True]), 1, "1 is a number. Send one of true"),
        (Column("x", ColumnType.STRING, categories=["a"]), None, "null is not allowed here"),
    ],
)
def test_what_does_not_fit_is_named_with_what_to_send(column, value, message):
    if message is None:
        assert rows_to_frame(Signature([column]), [{"x": value}])["x"].tolist() == [value]
        return
    with pytest.raises(InvalidDataError, match=message):
        rows_to_frame(Signature([column]), [{"x": value}])


def test_at_most_twenty_problems_are_listed():
    with pytest.raises(InvalidDataError) as caught:
        rows_to_frame(AGE, [{"age": "x"}] * 100_000)
    lines = str(caught.value).splitlines()
    assert len(lines) == 22
    assert lines[-1] == "... and more; the first 20 are shown."


def test_a_value_missing_in_one_row_is_named_by_its_row():
    with pytest.raises(InvalidDataError, match="Row 1, column 'age': the value is missing. Send a whole number"):
        rows_to_frame(AGE, [{"age": 1}, {}])


def test_split_rows_and_lists_read_like_records():
    reader = RowReader(Signature([Column("a", ColumnType.LONG), Column("b", ColumnType.STRING)]))
    expected = reader.read_records([{"a": 1, "b": "x"}, {"a": 2, "b": "y"}])
    pd.testing.assert_frame_equal(reader.read_split(["b", "c", "a"], [["x", 0, 1], ["y", 0, 2]]), expected)
    pd.testing.assert_frame_equal(reader.read_lists([[1, "x"], [2, "y"]]), expected)


@pytest.mark.parametrize("records", [[], {}, "x", [1], [None], None, [[]]])
def test_what_is_no_list_of_objects_is_refused(records):
    with pytest.raises(InvalidArgumentError, match="row"):
        rows_to_frame(AGE, records)


def test_a_signature_of_an_array_takes_no_rows():
    with pytest.raises(InvalidArgumentError, match="takes arrays, not rows"):
        RowReader(Signature(tensor=Tensor("float32", [-1, 2])))


FLOATS, INTEGERS = Tensor("float32", [-1, 2]), Tensor("int8", [-1, 2])


def test_nested_lists_become_the_array_of_the_signature():
    assert read_tensor(FLOATS, [[1, 2.5]]).tolist() == [[1.0, 2.5]]
    assert read_tensor(FLOATS, [[1, 2]]).dtype == "float32"
    assert np.isnan(read_tensor(FLOATS, [[None, 1]])[0, 0])
    assert read_tensor(INTEGERS, [[1.0, 2]]).tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("tensor", "instances", "message"),
    [
        (FLOATS, [[1, 2, 3]], r"shape \[1, 3\]; the model takes \[any, 2\]"),
        (FLOATS, [1, 2], r"shape \[2\]"),
        (FLOATS, [[1, 2], [1]], "different lengths"),
        (FLOATS, [[1, 2], [1, "3"]], r"Instance 1, position \[1\]: '3' does not fit the type float32"),
        (FLOATS, [[1, 1e39]], r"position \[1\]: 1e\+39 does not fit"),
        (FLOATS, [[1, 10**400]], r"position \[1\]: a whole number of more than 60 digits does not fit"),
        (FLOATS, [[True, False]], "true does not fit"),
        (INTEGERS, [[1, 300]], r"position \[1\]: 300 does not fit the type int8"),
        (INTEGERS, [[1, 1.5]], "1.5 does not fit"),
        (INTEGERS, [[1, None]], "null does not fit"),
    ],
)
def test_an_array_that_does_not_fit_is_named_by_its_place(tensor, instances, message):
    with pytest.raises(InvalidDataError, match=message):
        read_tensor(tensor, instances)
