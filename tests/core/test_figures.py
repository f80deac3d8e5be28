"""Figures: one look in light and dark, and JSON that every client reads the same."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import plotly.io as pio
import pytest

from kernel_tools.core.figures import OKABE_ITO, figure_json, new_figure, register_templates


def luminance(color: str) -> float:
    """Relative luminance of WCAG 2.2."""
    channels = [int(color[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(first: str, second: str) -> float:
    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_registering_twice_changes_nothing_and_leaves_plotlys_default_alone() -> None:
    default = pio.templates.default
    register_templates()
    light = pio.templates["atelier"]
    register_templates()
    assert pio.templates["atelier"] == light
    assert pio.templates.default == default


@pytest.mark.parametrize("name", ["atelier", "atelier_dark"])
def test_a_template_is_transparent_flat_and_coloured_for_all_eyes(name: str) -> None:
    register_templates()
    layout = pio.templates[name].layout
    assert layout.paper_bgcolor == layout.plot_bgcolor == "rgba(0,0,0,0)"
    assert len(set(layout.colorway)) == len(set(OKABE_ITO)) == 8
    assert set(layout.colorway) - set(OKABE_ITO) <= {"#F2F2F2"}
    assert "scene" not in layout.to_plotly_json()


@pytest.mark.parametrize(("name", "ground"), [("atelier", "#FFFFFF"), ("atelier_dark", "#111111")])
def test_text_and_the_first_two_colours_stand_out_from_the_ground(name: str, ground: str) -> None:
    register_templates()
    layout = pio.templates[name].layout
    assert contrast(layout.font.color, ground) >= 7
    assert all(contrast(color, ground) >= 3 for color in layout.colorway[:2])


def test_a_new_figure_has_its_titles_and_template() -> None:
    figure = new_figure(title="AUC", x_title="step", y_title="auc")
    assert (figure.layout.title.text, figure.layout.xaxis.title.text) == ("AUC", "step")
    assert figure.layout.yaxis.title.text == "auc"
    assert figure.layout.template == pio.templates["atelier"]
    assert new_figure(is_dark=True).layout.template == pio.templates["atelier_dark"]
    assert new_figure().layout.title.text is None


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([1, 2], dtype="int8"), [1, 2]),
        (np.array([1.5, np.nan, np.inf, -np.inf]), [1.5, None, None, None]),
        ([1.5, float("nan"), np.float32("inf"), np.int64(3), np.bool_(True)], [1.5, None, None, 3, True]),
        (np.array([[1.0, np.nan], [2.0, 3.0]]), [[1.0, None], [2.0, 3.0]]),
        (pd.Series([1, None], dtype="Int64"), [1, None]),
        (pd.Series(["a", None], dtype="string"), ["a", None]),
        (pd.Categorical(["a", "b"]), ["a", "b"]),
        ([pd.NaT, pd.NA, None], [None, None, None]),
        ([date(2026, 1, 2), datetime(2026, 1, 2, 3, tzinfo=UTC)], ["2026-01-02", "2026-01-02T03:00:00+00:00"]),
        (
            np.array(["2026-01-02T03:04:05.123456", "NaT"], dtype="datetime64[ns]"),
            ["2026-01-02T03:04:05.123456", None],
        ),
        ({"dtype": "f8", "bdata": "AAAAAAAA+H8AAAAAAAAAQA=="}, [None, 2.0]),
        ({"dtype": "i2", "bdata": "AQACAAMABAA=", "shape": "2, 2"}, [[1, 2], [3, 4]]),
    ],
)
def test_every_kind_of_values_becomes_plain_json(values: object, expected: object) -> None:
    plain = figure_json(go.Figure(go.Heatmap(z=values) if np.ndim(expected) == 2 else go.Scatter(y=values)))
    shown = plain["data"][0]["z" if np.ndim(expected) == 2 else "y"]
    assert shown == expected
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain


def test_the_json_of_a_figure_makes_the_same_figure_again() -> None:
    figure = new_figure(title="ROC").add_scatter(x=np.linspace(0, 1, 5), y=[0, 0.5, 0.7, 0.9, 1], name="xgb")
    figure.frames = [go.Frame(name="a", data=[go.Scatter(y=np.array([1, 2]))])]
    plain = figure_json(figure)

    assert plain.keys() == {"data", "layout", "frames"}
    assert "bdata" not in json.dumps(plain, allow_nan=False)
    assert figure_json(go.Figure(plain)) == plain
    assert list(figure_json(new_figure())) == ["data", "layout"]


def test_importing_the_module_does_not_import_plotly_or_numpy() -> None:
    code = "import sys, kernel_tools.core.figures; print(*sys.modules)"
    assert not {"plotly", "numpy"} & set(subprocess.check_output([sys.executable, "-c", code], text=True).split())
