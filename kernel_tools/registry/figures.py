"""Figures of the registry, made once for notebooks, panels and dashboards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_tools.registry.lineage_graph import Lineage

if TYPE_CHECKING:
    import plotly.graph_objects as go

KINDS = ("dataset", "recipe", "run", "job", "version", "endpoint")
"""The kinds that have a colour and a symbol of their own; others share one."""
SYMBOLS = {"dataset": "square", "recipe": "diamond", "run": "circle", "job": "hexagon", "version": "star-square"}
ROW_HEIGHT = 44
MAX_LABEL = 28


def lineage_graph(lineage: Lineage, is_dark: bool = False) -> go.Figure:
    """Draw a lineage from left to right, what came first on the left; the root has a ring.

    Parameters
    ----------
    lineage
        What `kernel_tools.registry.lineage` returned.
    is_dark
        Whether it is shown on a dark ground.

    Notes
    -----
    A node stands one layer to the right of the rightmost node that it came from (longest path layering); inside a
    layer, nodes are ordered by the mean height of their neighbours on the left (Sugiyama, Tagawa and Toda, 1981, one
    sweep), which keeps edges from crossing more than they must. `customdata` of a point is the node's id.
    """
    from kernel_tools.core.figures import new_figure

    layers = layer_nodes(lineage)
    places = _place(lineage, layers)
    figure = new_figure(is_dark=is_dark)
    for edge in lineage.edges:
        (x0, y0), (x1, y1) = places[edge.source], places[edge.target]
        figure.add_annotation(
            x=x1, y=y1, ax=x0, ay=y0, xref="x", yref="y", axref="x", ayref="y", showarrow=True, arrowhead=2,
            arrowwidth=1.2, arrowcolor="#8A8A8A", standoff=11, startstandoff=11, hovertext=edge.role,
        )  # fmt: skip
    kinds = [*KINDS, *sorted({node.kind for node in lineage.nodes} - set(KINDS))]
    for kind in kinds:
        nodes = lineage.of_kind(kind)
        if not nodes:
            continue
        figure.add_scatter(
            x=[places[node.id][0] for node in nodes],
            y=[places[node.id][1] for node in nodes],
            customdata=[node.id for node in nodes],
            name=kind,
            mode="markers+text",
            text=[_shorten(node.label) for node in nodes],
            textposition="bottom center",
            marker={
                "size": 18,
                "symbol": SYMBOLS.get(kind, "triangle-right"),
                "line": {"width": [3 if node.id == lineage.root else 0 for node in nodes], "color": "#D55E00"},
            },
            hovertext=[f"{kind} {node.label}" + (f"<br>{node.state}" if node.state else "") for node in nodes],
            hoverinfo="text",
        )
    height = max(map(len, layers)) * ROW_HEIGHT * 2
    hidden = {"visible": False, "showgrid": False}
    figure.update_layout(height=max(220, height + 80), xaxis=hidden, yaxis=hidden, showlegend=True)
    figure.update_xaxes(range=[-0.6, len(layers) - 0.4])
    figure.update_yaxes(range=[-max(map(len, layers)) / 2 - 0.4, max(map(len, layers)) / 2 + 0.2])
    if not lineage.is_complete:
        figure.update_layout(title_text=f"The first {len(lineage.nodes)} nodes; there are more")
    return figure


def layer_nodes(lineage: Lineage) -> list[list[str]]:
    """Return the ids of the nodes in layers, each node to the right of all that it came from."""
    depth = {node.id: 0 for node in lineage.nodes}
    for _ in lineage.nodes:  # as many rounds as the longest path can have; a circle ends it too
        moved = False
        for edge in lineage.edges:
            if depth[edge.target] <= depth[edge.source] < len(depth):
                depth[edge.target] = depth[edge.source] + 1
                moved = True
        if not moved:
            break
    layers: list[list[str]] = [[] for _ in range(max(depth.values(), default=0) + 1)]
    for node, place in depth.items():
        layers[place].append(node)
    return [layer for layer in layers if layer]


def _place(lineage: Lineage, layers: list[list[str]]) -> dict[str, tuple[float, float]]:
    sources: dict[str, list[str]] = {}
    for edge in lineage.edges:
        sources.setdefault(edge.target, []).append(edge.source)
    places: dict[str, tuple[float, float]] = {}
    for x, layer in enumerate(layers):
        heights = {}
        for position, node in enumerate(layer):
            known = [places[source][1] for source in sources.get(node, []) if source in places]
            heights[node] = (-sum(known) / len(known) if known else 0.0, position)
        for row, node in enumerate(sorted(layer, key=heights.__getitem__)):
            places[node] = (float(x), (len(layer) - 1) / 2 - row)
    return places


def _shorten(label: str) -> str:
    return label if len(label) <= MAX_LABEL else f"{label[: MAX_LABEL - 1]}…"
