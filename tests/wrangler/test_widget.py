"""A table as a widget: what it tells the browser, what it answers, what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import kernel_tools as kt
from kernel_tools.core.errors import AtelierError
from kernel_tools.wrangler.widget import KEPT_VIEWS, FrameWidget

PEOPLE = pd.DataFrame({"age": [39.0, None, 38.0], "job": ["clerk", "cook", "clerk"]})


class Browser:
    """Asks a widget as the grid does, and keeps its answers."""

    def __init__(self, widget: FrameWidget) -> None:
        self.widget = widget
        self.answers: list[tuple[dict[str, Any], list[bytes]]] = []
        widget.send = lambda content, buffers=None: self.answers.append((content, buffers or []))

    def ask(self, method: str, **params: Any) -> Any:
        self.widget._answer(self.widget, {"id": 1, "method": method, "params": params}, [])
        content, buffers = self.answers.pop()
        assert content["id"] == 1
        if buffers:
            return pa.ipc.open_stream(buffers[0]).read_all().to_pylist()
        return content.get("result", content.get("error"))


@pytest.fixture
def browser() -> Iterator[Browser]:
    widget = kt.wrangler.show(PEOPLE)
    yield Browser(widget)
    widget.close()


def test_a_widget_tells_its_columns_and_rows(browser: Browser) -> None:
    widget = browser.widget
    assert (widget.rows, [column["kind"] for column in widget.columns]) == (3, ["number", "string"])
    assert widget.get_state()["_model_module"] == "jupyter-atelier"


def test_windows_orders_values_and_profiles_are_answered(browser: Browser) -> None:
    assert browser.ask("window", view="0", start=1, count=1) == [{"age": None, "job": "cook"}]
    arranged = browser.ask(
        "arrange", view="0", sort=[{"column": "age"}], filters=[{"column": "job", "operator": "=", "value": "clerk"}]
    )
    assert arranged["rows"] == 2
    assert browser.ask("window", view=arranged["view"], start=0, count=9, columns=["age"]) == [{"age": 38}, {"age": 39}]
    assert browser.ask("cell", view=arranged["view"], row=0, column="job") == {"value": "clerk"}
    assert browser.ask("profile", view="0", columns=["age"])["columns"][0]["missing"] == 1


def test_what_is_wrong_is_an_answer(browser: Browser, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no column 'pay'" in browser.ask("arrange", view="0", sort=[{"column": "pay"}], filters=[])
    assert "cannot be asked for 'drop'" in browser.ask("drop")
    assert "Sort or filter again" in browser.ask("window", view="77", start=0, count=1)
    assert "TypeError" in browser.ask("cell", view="0", wrong=1)
    assert capsys.readouterr().err == ""


def test_old_orders_are_given_up(browser: Browser) -> None:
    views = [
        browser.ask("arrange", view="0", sort=[{"column": "age"}], filters=[])["view"] for _ in range(KEPT_VIEWS + 2)
    ]
    assert "Sort or filter again" in browser.ask("window", view=views[0], start=0, count=1)
    assert len(browser.ask("window", view=views[-1], start=0, count=3)) == 3
    assert len(browser.ask("window", view="0", start=0, count=3)) == 3


def test_everything_that_is_a_table_is_shown(tmp_path: Path) -> None:
    PEOPLE.to_parquet(tmp_path / "people.parquet")
    recipe = kt.wrangler.read(tmp_path / "people.parquet", name="people").impute(["age"])
    for data in (pl.from_pandas(PEOPLE), pa.Table.from_pandas(PEOPLE), tmp_path / "people.parquet", recipe):
        widget = kt.wrangler.show(data)
        assert widget.rows == 3
        widget.close()
    with pytest.raises(AtelierError):
        kt.wrangler.show(tmp_path / "nothing.parquet")
