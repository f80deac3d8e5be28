"""Figures that a notebook cell shows, taken from what IPython sends to the front end: Plotly's JSON, SVG and PNG."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from kernel_tools.experiments.capture.guard import guarded, warn_once
from kernel_tools.experiments.run import Run

PLOTLY = "application/vnd.plotly.v1+json"
SVG = "image/svg+xml"
PNG = "image/png"

MAX_FIGURES = 50
MAX_BYTES = 64 * 1024 * 1024


class DisplayedFigures:
    """Collects the figures of one cell; a figure that is updated in place counts once, as it was last."""

    def __init__(self) -> None:
        self._figures: dict[str, tuple[str, bytes]] = {}

    def add(self, bundle: Mapping[str, Any], display_id: str | None = None) -> None:
        """Take the figure out of a bundle of MIME types, if it has one."""
        for media_type in (PLOTLY, SVG, PNG):
            if media_type in bundle:
                content = _content(media_type, bundle[media_type])
                size = sum(len(kept) for _, kept in self._figures.values())
                key = display_id or f"figure {len(self._figures)}"
                if key not in self._figures and (len(self._figures) >= MAX_FIGURES or size + len(content) > MAX_BYTES):
                    warn_once("all displayed figures", f"a cell keeps {MAX_FIGURES}, and {MAX_BYTES:,} bytes")
                    return
                self._figures[key] = (media_type, content)
                return

    @contextmanager
    def watch(self, shell: Any) -> Iterator[None]:
        """Collect what is displayed, or is the value of the cell, inside the ``with`` block."""
        publisher, displayhook = shell.display_pub, shell.displayhook
        publish, compute = publisher.publish, displayhook.compute_format_data

        def publish_and_collect(data: Any, *arguments: Any, **keywords: Any) -> Any:
            with guarded("displayed figures"):
                self.add(data, (keywords.get("transient") or {}).get("display_id"))
            return publish(data, *arguments, **keywords)

        def compute_and_collect(result: Any) -> Any:
            computed = compute(result)
            with guarded("displayed figures"):
                self.add(computed[0])
            return computed

        replaced = [
            (publisher, "publish", publish_and_collect),
            (displayhook, "compute_format_data", compute_and_collect),
        ]
        before = [vars(owner).get(name) for owner, name, _ in replaced]
        for owner, name, function in replaced:
            setattr(owner, name, function)
        try:
            yield
        finally:
            for (owner, name, _), function in zip(replaced, before, strict=True):
                if function is None:
                    delattr(owner, name)
                else:
                    setattr(owner, name, function)

    def log(self, run: Run, folder: str = "figures") -> list[str]:
        """Keep the figures in a run, but for those that it has; return the paths of the new artifacts."""
        known = {artifact.sha256 for artifact in run.artifacts}
        drawn = [
            _read_plotly(run, artifact.path) for artifact in run.artifacts if artifact.path.endswith(".plotly.json")
        ]
        paths: list[str] = []
        taken = {artifact.path for artifact in run.artifacts}
        number = 0
        for media_type, content in self._figures.values():
            suffix = {PLOTLY: ".plotly.json", SVG: ".svg", PNG: ".png"}[media_type]
            if hashlib.sha256(content).hexdigest() in known or (media_type == PLOTLY and json.loads(content) in drawn):
                continue
            number += 1
            while (path := f"{folder}/displayed-{number}{suffix}") in taken:
                number += 1
            run.log_bytes(content, path)
            paths.append(path)
        return paths


def _content(media_type: str, data: Any) -> bytes:
    if media_type == PLOTLY:
        import plotly.graph_objects as go

        from kernel_tools.core.figures import figure_json

        figure = go.Figure(data={"data": data.get("data", []), "layout": data.get("layout", {})}, skip_invalid=True)
        return json.dumps(figure_json(figure)).encode()
    if isinstance(data, bytes):
        return data
    return base64.b64decode(data) if media_type == PNG else str(data).encode()


def _read_plotly(run: Run, path: str) -> Any:
    with run.open_artifact(path) as file:
        return json.load(file)
