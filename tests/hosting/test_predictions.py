"""What an endpoint answers is what the model answers, from every form of rows; what does not fit is named."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from kernel_tools.core.errors import InvalidArgumentError, InvalidDataError
from kernel_tools.hosting.client import EndpointClient, encode_rows
from kernel_tools.hosting.wire import MAX_BODY_BYTES


def test_predictions_equal_the_local_models_to_the_last_bit(endpoint, census):
    assert (endpoint.predict_proba(census.X) == census.model.predict_proba(census.X)).all()
    assert (endpoint.predict(census.X) == census.model.predict(census.X)).all()


@pytest.mark.parametrize("form", ["dict", "series", "records", "frame", "lists"])
def test_one_row_may_come_in_any_form(endpoint, census, form):
    frame = census.X.iloc[[1]]
    records = frame.to_dict("records")
    forms = {
        "dict": records[0],
        "series": frame.iloc[0],
        "records": records,
        "frame": frame,
        "lists": frame.to_numpy(dtype=object),
    }
    assert (endpoint.predict_proba(forms[form]) == census.model.predict_proba(frame)).all()


def test_missing_values_of_every_kind_are_missing_for_the_model(endpoint, census):
    expected = census.model.predict_proba(census.X.iloc[[0]].assign(hours=np.nan, job=None).astype(census.X.dtypes))
    row = {**census.X.iloc[0].to_dict()}
    for missing in (None, np.nan, pd.NA, pd.NaT):
        assert (endpoint.predict_proba({**row, "hours": missing, "job": missing}) == expected).all()


def test_more_columns_and_another_order_change_nothing(endpoint, census):
    shuffled = census.X.assign(label=1, id="x")[["id", "job", "grade", "label", "is_married", "hours", "age"]]
    assert (endpoint.predict_proba(shuffled) == census.model.predict_proba(census.X)).all()


def test_invoke_returns_the_whole_reply(endpoint, census):
    reply = endpoint.invoke([census.row, census.row])
    assert reply["classes"] == [0, 1]
    assert len(reply["predictions"]) == 2 and len(reply["probabilities"]) == 2
    assert sum(reply["probabilities"][0]) == pytest.approx(1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"age": "39"}, r"Row 1, column 'age': '39' is text. Send a whole number, without quotes."),
        ({"age": 39.5}, r"Row 1, column 'age': 39.5 is not a whole number"),
        ({"age": True}, r"Row 1, column 'age': true is a boolean"),
        ({"age": None}, r"Row 1, column 'age': null is not allowed here"),
        (
            {"job": "pilot"},
            r"Row 1, column 'job': 'pilot' is not a known category. Send one of 'farm', 'sales', 'tech'",
        ),
        ({"grade": 9}, r"Row 1, column 'grade': 9 is not a known category. Send one of 3, 1, 2"),
        ({"is_married": 1}, r"Row 1, column 'is_married': 1 is a number. Send true or false"),
    ],
)
def test_a_bad_value_is_refused_with_row_column_and_what_to_send(endpoint, census, change, message):
    with pytest.raises(InvalidDataError, match=message):
        endpoint.predict([census.row, {**census.row, **change}])


def test_a_missing_column_is_named_together_with_what_may_be_meant(endpoint, census):
    row = {("Age" if name == "age" else name): value for name, value in census.row.items()}
    with pytest.raises(InvalidDataError, match=r"Column 'age' is missing \(is 'Age' meant\?\)"):
        endpoint.predict(row)


def test_what_no_json_can_hold_is_refused_before_it_is_sent(endpoint, census):
    with pytest.raises(InvalidDataError, match="infinite number"):
        endpoint.predict({**census.row, "hours": np.inf})
    with pytest.raises(InvalidArgumentError, match="cannot be written as JSON"):
        endpoint.predict({**census.row, "hours": object()})
    with pytest.raises(InvalidArgumentError, match="no rows"):
        endpoint.predict([])
    with pytest.raises(InvalidArgumentError, match="A str cannot be predicted"):
        endpoint.predict("x")


def test_rows_beyond_the_limit_of_a_request_are_sent_in_several(endpoint, census):
    many = pd.concat([census.X] * 600, ignore_index=True)
    bodies = encode_rows(many)
    assert len(bodies) > 1 and max(map(len, bodies)) <= MAX_BODY_BYTES
    assert (endpoint.predict_proba(many) == np.tile(census.model.predict_proba(census.X), (600, 1))).all()


def test_many_threads_get_their_own_answers(endpoint, census):
    expected = census.model.predict_proba(census.X)

    def ask(index: int) -> bool:
        row = census.X.iloc[[index]]
        return bool((endpoint.predict_proba(row) == expected[index]).all())

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(200)))


def test_a_connection_that_the_endpoint_closed_is_opened_again(endpoint, census):
    client = EndpointClient("shared")
    body = encode_rows(census.row)[0]
    first = client.invoke(endpoint.url, body)
    connection, is_kept = client._connection(endpoint.url)
    assert is_kept
    connection.sock.shutdown(2)
    assert client.invoke(endpoint.url, body) == first


def test_dates_text_and_nullable_numbers_travel_exactly():
    frame = pd.DataFrame(
        {
            "when": pd.to_datetime(["2024-01-31T12:00:00.000001", None]),
            "note": pd.Series(["ä", None], dtype="str"),
            "count": pd.array([2**60, None], dtype="Int64"),
            "share": np.array([0.1, np.nan], dtype=np.float32),
        }
    )
    assert encode_rows(frame) == [
        '{"dataframe_split":{"columns":["when","note","count","share"],"data":'
        '[["2024-01-31T12:00:00.000001","ä",1152921504606846976,0.10000000149011612],[null,null,null,null]]}}'.encode()
    ]


def test_names_that_only_look_like_arrays_are_no_rows():
    with pytest.raises(InvalidArgumentError, match="SimpleNamespace cannot be predicted"):
        encode_rows(SimpleNamespace())
