"""Recipes as documents and files: kept whole, edited without breaking, refused in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel_tools.core.errors import InvalidArgumentError, InvalidDataError, NotFoundError
from kernel_tools.core.workspace import Workspace
from kernel_tools.wrangler import editing, trust
from kernel_tools.wrangler.document import Analysis, Node, Output, RecipeDocument, Source
from kernel_tools.wrangler.files import format_recipe, parse_recipe, read_recipe, write_recipe
from kernel_tools.wrangler.graph import hashes, ordered, validate_graph
from kernel_tools.wrangler.states import decode_state, encode_state

OPS = ("drop", "impute", "sort", "limit")


def chain(length: int) -> RecipeDocument:
    document = RecipeDocument(sources=[Source(id="s1", uri="t.csv")])
    head = "s1"
    for number in range(length):
        document, head = editing.add_step(document, OPS[number % len(OPS)], {"columns": ["a"]}, [head])
    return document


def test_a_file_holds_all_of_a_recipe_also_what_is_not_known_here(tmp_path: Path) -> None:
    content = json.loads(format_recipe(chain(2)))
    content["from_later"] = {"x": 1}
    content["nodes"][0] |= {"op": "unknown_operator", "colour": "red", "params": {"deep": [{"a": None}]}}
    path = write_recipe(parse_recipe(json.dumps(content)), tmp_path / "kept")
    assert path.name == "kept.recipe.json"
    again = json.loads(path.read_text())
    assert again["from_later"] == {"x": 1} and again["nodes"][0]["colour"] == "red"
    assert read_recipe(path) == parse_recipe(json.dumps(content))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not JSON"),
        ("[]", "recipe_version"),
        ('{"recipe_version": 99}', "Update jupyter-atelier"),
        ('{"recipe_version": 1, "nodes": [{"id": "n1"}]}', "nodes.0"),
        ('{"recipe_version": 1, "nodes": [{"id": "n1", "op": "drop", "inputs": ["s9"]}]}', "does not exist"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_what_is_no_recipe_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises((InvalidDataError, InvalidArgumentError), match=words):
        parse_recipe(text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="cannot be read"):
        read_recipe(tmp_path / "no.recipe.json")


def test_a_circle_is_refused() -> None:
    nodes = [Node(id="a", op="drop", inputs=["b"]), Node(id="b", op="drop", inputs=["a"])]
    with pytest.raises(InvalidArgumentError, match="circle"):
        validate_graph(RecipeDocument(nodes=nodes))


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_any_edits_leave_a_recipe_that_opens(data: st.DataObject) -> None:
    document = chain(data.draw(st.integers(1, 5)))
    for _ in range(data.draw(st.integers(1, 8))):
        ids = [node.id for node in document.nodes]
        everything = [*ids, "s1"]
        kind = data.draw(st.sampled_from(["insert", "remove", "move", "duplicate", "disable"]))
        if kind == "insert" or not ids:
            document, _ = editing.insert_step(document, "limit", {"rows": 1}, data.draw(st.sampled_from(everything)))
            continue
        chosen = data.draw(st.sampled_from(ids))
        if kind == "remove":
            document = editing.remove_step(document, chosen)
        elif kind == "duplicate":
            document, _ = editing.duplicate_step(document, chosen)
        elif kind == "disable":
            document = editing.update_step(document, chosen, enabled=data.draw(st.booleans()))
        else:
            after = data.draw(st.sampled_from([one for one in everything if one != chosen]))
            document = editing.move_step(document, chosen, after)
        assert len(list(ordered(document))) == len(document.nodes)
        assert parse_recipe(format_recipe(document)) == document


def test_outputs_follow_the_step_that_takes_the_place() -> None:
    document = chain(1).model_copy(update={"outputs": [Output(node="n1", role="train")]})
    longer, _ = editing.insert_step(document, "limit", {"rows": 1}, "n1")
    assert longer.outputs[0].node == "n2"
    assert editing.remove_step(longer, "n2").outputs[0].node == "n1"


def test_the_hash_of_a_step_counts_what_comes_before_and_not_its_note() -> None:
    document = chain(3)
    before = hashes(document)
    noted = hashes(editing.update_step(document, "n2", note="why"))
    changed = hashes(editing.update_step(document, "n2", params={"columns": ["b"]}))
    off = hashes(editing.update_step(document, "n2", enabled=False))
    assert noted == before
    assert changed["n1"] == before["n1"] and changed["n2"] != before["n2"] and changed["n3"] != before["n3"]
    assert off["n2"] == before["n1"]


def test_trust_is_for_the_code_that_was_read(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    document = chain(1)
    assert trust.is_trusted(document, workspace)
    document, _ = editing.add_step(document, "custom_pandas", {"source": "df = df"}, ["n1"])
    assert not trust.is_trusted(document, workspace)
    trust.trust(document, workspace)
    assert trust.is_trusted(document, workspace)
    changed = editing.update_step(document, "n2", params={"source": "df = df.head()"})
    assert not trust.is_trusted(changed, workspace)
    drawn = Analysis(id="a1", node="n1", kind="custom_plotly", params={"code": "figure = 1"})
    assert not trust.is_trusted(document.model_copy(update={"analyses": [drawn]}), workspace)


plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.dates() | st.datetimes()
plain = plain | st.times() | st.decimals(allow_nan=False, allow_infinity=False) | st.binary()


@given(st.recursive(plain, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10))
def test_a_state_is_what_it_was_after_json(value: object) -> None:
    if isinstance(value, dict) and "$type" in str(value):
        return
    assert decode_state(json.loads(json.dumps(encode_state(value)))) == value
