"""The Open Inference Protocol: tensors become rows, replies become tensors."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel_tools.core.errors import AtelierError, InvalidArgumentError, InvalidDataError
from kernel_tools.core.forms import InputReader
from kernel_tools.hosting.wire import UnsupportedContentError
from kernel_tools.hosting.wire.open_inference import DATATYPES, model_metadata, read_infer, write_infer
from kernel_tools.registry.signature import Column, ColumnType, Signature, Tensor

COLUMNS = [Column("age", ColumnType.LONG), Column("hours", ColumnType.DOUBLE, nullable=True)]
READER = InputReader(Signature(COLUMNS))
FLOATS = st.floats(allow_nan=False, allow_infinity=False)


def tensor(name: str, shape: list[int], datatype: str, data: list[object]) -> dict[str, object]:
    return {"name": name, "shape": shape, "datatype": datatype, "data": data}


def body(*tensors: dict[str, object], **others: object) -> bytes:
    return msgspec.json.encode({"inputs": tensors, **others})


@given(
    st.lists(st.tuples(st.integers(-1000, 1000), FLOATS), min_size=1), st.sampled_from(["columns", "nested", "matrix"])
)
def test_the_shapes_of_a_table_give_the_same_rows(rows: list[tuple[int, float]], form: str) -> None:
    n = len(rows)
    if form == "matrix":
        content = body(tensor("x", [n, 2], "FP64", [value for row in rows for value in row]))
    else:
        shape, wrap = ([n, 1], lambda v: [v]) if form == "nested" else ([n], lambda v: v)
        content = body(
            tensor("hours", shape, "FP64", [wrap(h) for _, h in rows]),
            tensor("age", shape, "INT64", [wrap(a) for a, _ in rows]),
        )
    frame = READER.read(read_infer(content, COLUMNS).rows)
    assert repr(list(zip(frame["age"].tolist(), frame["hours"].tolist(), strict=True))) == repr(rows)


def test_an_array_is_folded_to_its_shape() -> None:
    content = body(tensor("input", [2, 2, 3], "FP32", list(range(12))))
    array = InputReader(Signature(tensor=Tensor("float32", [-1, 2, 3]))).read(read_infer(content).rows)
    np.testing.assert_array_equal(array, np.arange(12).reshape(2, 2, 3))


def test_a_reply_has_the_outputs_that_were_asked_for() -> None:
    probabilities = np.array([[0.1, 0.9], [0.7, 0.3]], dtype=np.float32)
    reply = {"predictions": np.array(["yes", "no"]), "probabilities": probabilities, "classes": ["no", "yes"]}
    one = tensor("age", [1], "INT64", [1])
    answer = msgspec.json.decode(write_infer(reply, read_infer(body(one, id="7"), COLUMNS), "census", "3"))
    assert (answer["id"], answer["model_name"], answer["model_version"]) == ("7", "census", "3")
    assert answer["outputs"][0] == tensor("label", [2], "BYTES", ["yes", "no"])
    assert answer["outputs"][1] == tensor("probabilities", [2, 2], "FP32", probabilities.ravel().tolist())
    asked = read_infer(body(one, outputs=[{"name": "probabilities"}]), COLUMNS)
    assert [output["name"] for output in msgspec.json.decode(write_infer(reply, asked, "m", "1"))["outputs"]] == [
        "probabilities"
    ]
    with pytest.raises(InvalidArgumentError, match="There is no output 'x'"):
        write_infer(reply, read_infer(body(one, outputs=[{"name": "x"}]), COLUMNS), "m", "1")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (tensor("age", [2], "INT64", [1]), "has 1 values"),
        (tensor("age", [1], "INT64", [1.5]), "value 0: '1.5' is not of type INT64"),
        (tensor("age", [1], "UINT8", [256]), "is not of type UINT8"),
        (tensor("age", [1], "FP65", [1]), "'datatype' must be one of BOOL"),
        (tensor("age", [0], "INT64", []), "'shape' must be"),
        (tensor("x", [1], "INT64", [1]), "must be a matrix of all 2 columns"),
    ],
)
def test_a_tensor_that_does_not_fit_is_named(given: dict[str, object], said: str) -> None:
    with pytest.raises((InvalidArgumentError, InvalidDataError)) as caught:
        read_infer(body(given), COLUMNS)
    assert said in str(caught.value)


def test_binary_tensors_are_refused() -> None:
    with pytest.raises(UnsupportedContentError):
        read_infer(b"{}", headers={"inference-header-content-length": "2"})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | FLOATS | st.text(max_size=5), lambda v: st.lists(v, max_size=3)
)
ANY_TENSOR = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["age", "hours", "x"]) | JSON,
        "shape": st.lists(st.integers(-1, 3), max_size=3) | JSON,
        "datatype": st.sampled_from(DATATYPES) | JSON,
        "data": st.lists(JSON, max_size=4) | JSON,
    },
    optional={"parameters": JSON | st.just({"binary_data_size": 3})},
)


@given(st.lists(ANY_TENSOR | JSON, max_size=3), JSON, JSON)
def test_any_request_is_read_or_refused_on_purpose(tensors: list[object], outputs: object, identifier: object) -> None:
    content = msgspec.json.encode({"inputs": tensors, "outputs": outputs, "id": identifier}, enc_hook=str)
    for columns in (COLUMNS, None):
        try:
            READER.read(read_infer(content, columns).rows)
        except AtelierError:
            continue


def test_metadata_names_the_inputs_and_outputs() -> None:
    found = msgspec.json.decode(model_metadata("census", ["1", "2"], COLUMNS, classes=["no", "yes"]))
    assert found["versions"] == ["1", "2"]
    assert found["inputs"][0] == {"name": "age", "datatype": "INT64", "shape": [-1]}
    assert found["outputs"][1] == {"name": "probabilities", "datatype": "FP64", "shape": [-1, 2]}
    image = msgspec.json.decode(model_metadata("cnn", ["1"], tensor=("float32", [-1, 28, 28])))
    assert image["inputs"] == [{"name": "input", "datatype": "FP32", "shape": [-1, 28, 28]}]
