"""How figures look, and how they travel: the Plotly templates of Atelier and the plain JSON of a figure.

What a figure shows is made in ``kernel_tools/<room>/figures.py``. Figures here are flat: no 3-D scenes, whose
perspective distorts the lengths that they compare.
"""

from __future__ import annotations

import base64
import math
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import plotly.graph_objects as go

OKABE_ITO = ("#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7")
"""Eight colours that people with any colour vision tell apart (Okabe and Ito, Color Universal Design, 2008)."""

LIGHT_TEMPLATE = "atelier"
DARK_TEMPLATE = "atelier_dark"

_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"
_BLACK, _ORANGE, _SKY, _GREEN, _YELLOW, _BLUE, _VERMILION, _PURPLE = OKABE_ITO
SERIES_COLORS = (_BLUE, _VERMILION, _GREEN, _ORANGE, _PURPLE, _SKY, _BLACK, _YELLOW)
"""The colours of series on a light ground, in their order; the panel turns them into those for a dark one."""
_DARK_COLORS = (_SKY, _ORANGE, _GREEN, _YELLOW, _PURPLE, _VERMILION, "#F2F2F2", _BLUE)
"""On a dark ground, black becomes near-white and the darkest blue comes last."""


def register_templates() -> None:
    """Make the templates "atelier" and "atelier_dark" known to Plotly; a second call changes nothing.

    Plotly's own default template stays what it is: a notebook's other figures are not ours to restyle.
    """
    import plotly.io as pio

    if LIGHT_TEMPLATE not in pio.templates:
        pio.templates[LIGHT_TEMPLATE] = _make_template(SERIES_COLORS, text="#3A3A3A", grid="#E3E3E3", line="#BDBDBD")
    if DARK_TEMPLATE not in pio.templates:
        pio.templates[DARK_TEMPLATE] = _make_template(_DARK_COLORS, text="#D6D6D6", grid="#3C3C3C", line="#6A6A6A")


def new_figure(*, title: str = "", x_title: str = "", y_title: str = "", is_dark: bool = False) -> go.Figure:
    """Return an empty Plotly figure in Atelier's style.

    Parameters
    ----------
    title, x_title, y_title
        What the figure and its axes say; name the unit in an axis title, as in ``"latency (ms)"``.
    is_dark
        Whether it is shown on a dark ground.
    """
    import pandas  # noqa: F401  # Plotly asks whether it is loaded: it must not be halfway, by another thread
    import plotly.graph_objects as go

    register_templates()
    figure = go.Figure()
    figure.update_layout(template=DARK_TEMPLATE if is_dark else LIGHT_TEMPLATE)
    if title:
        figure.update_layout(title_text=title)
    if x_title:
        figure.update_xaxes(title_text=x_title)
    if y_title:
        figure.update_yaxes(title_text=y_title)
    return figure


def figure_json(figure: go.Figure) -> dict[str, Any]:
    """Return a figure as plain JSON types: ``{"data": [...], "layout": {...}}``, with "frames" if it has any.

    Arrays become lists, not Plotly's base64 ``bdata``: the panel reads the numbers for its table view too, and the
    JSON means the same to every client. NaN, infinities and missing times become None, which Plotly draws as a gap.
    Times become ISO 8601 text.
    """
    plain: dict[str, Any] = {
        "data": [_plain(trace.to_plotly_json()) for trace in figure.data],
        "layout": _plain(figure.layout.to_plotly_json()),
    }
    if figure.frames:
        plain["frames"] = [_plain(frame.to_plotly_json()) for frame in figure.frames]
    return plain


def _make_template(colors: tuple[str, ...], *, text: str, grid: str, line: str) -> go.layout.Template:
    import plotly.graph_objects as go

    axis = {
        "gridcolor": grid,
        "gridwidth": 1,
        "linecolor": line,
        "showline": True,
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": line,
        "zeroline": False,
        "automargin": True,
        "title": {"standoff": 8},
    }
    return go.layout.Template(
        layout={
            "colorway": list(colors),
            "colorscale": {"sequential": "Cividis", "sequentialminus": "Cividis", "diverging": "RdBu"},
            "font": {"family": _FONT, "size": 12, "color": text},
            "title": {"x": 0, "xref": "paper", "xanchor": "left", "font": {"size": 14}},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "margin": {"l": 56, "r": 16, "t": 40, "b": 44},
            "xaxis": {**axis, "showgrid": False},
            "yaxis": axis,
            "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.0, "xanchor": "right", "x": 1.0},
            "hovermode": "closest",
            "hoverlabel": {"font": {"family": _FONT}},
        },
    )


def _plain(value: Any) -> Any:
    """Turn what Plotly keeps in a figure into JSON types, by way of numpy for everything that is an array."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, dict):
        if value.keys() >= {"bdata", "dtype"}:
            return _plain_array(_decode(value))
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime | date | time):
        return value.isoformat() if value == value else None  # NaT is a datetime that differs from itself
    import numpy as np

    return _plain_array(np.asarray(value))


def _plain_array(array: np.ndarray[Any, Any]) -> Any:
    import numpy as np

    kind = array.dtype.kind
    if kind == "f" and not np.isfinite(array).all():
        plain = array.astype(object)
        plain[~np.isfinite(array)] = None
        return plain.tolist()
    if kind in "biufU":
        return array.tolist()
    if kind == "M":
        unit = array.astype("datetime64[us]")
        plain = np.datetime_as_string(unit).astype(object)
        plain[np.isnat(unit)] = None
        return plain.tolist()
    if kind == "O" and array.ndim > 0:
        return [_plain(item) for item in array]
    if array.ndim > 0:
        return [str(item) for item in array]
    return None if type(array.item()).__name__ == "NAType" else str(array)


def _decode(value: dict[str, Any]) -> np.ndarray[Any, Any]:
    """Decode Plotly's base64 form of an array: little-endian `bdata`, `dtype` such as "f8", `shape` such as "2, 3"."""
    import numpy as np

    array = np.frombuffer(base64.b64decode(value["bdata"]), dtype=np.dtype(value["dtype"]).newbyteorder("<"))
    shape = value.get("shape")
    if shape is None:
        return array
    sizes = shape.split(",") if isinstance(shape, str) else np.atleast_1d(shape)
    return array.reshape([int(size) for size in sizes])
