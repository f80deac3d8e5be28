"""Writes docs/benchmarks.md from the kept results, so that no figure is typed by hand."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

from benchmarks.harness import RESULTS, Result

DOCUMENT = Path(__file__).parents[1] / "docs" / "benchmarks.md"
TABLE_HEAD = "| what | bar | ours | peer | ratio | | note |\n|---|---|---|---|---|---|---|"
HEAD = """# Benchmarks

Written by `make bench` from `benchmarks/results/`; do not edit. Each number is a median with its lowest
and highest sample. Where a peer is named, ours and the peer ran in turn in one run, and the ratio is the peer's median
divided by ours.
Figures depend on the machine; ratios much less so. A bar that was missed stays here with its number and the reason.
"""


def write_report(names: tuple[str, ...]) -> None:
    """Write the document out of every result that was kept."""
    parts = [HEAD]
    for name in names:
        path = RESULTS / f"{name}.json"
        if path.exists():
            parts.append(_section(name, json.loads(path.read_text())))
    DOCUMENT.parent.mkdir(exist_ok=True)
    DOCUMENT.write_text("\n".join(parts))


def _section(name: str, content: dict[str, object]) -> str:
    title = str(importlib.import_module(f"benchmarks.{name}").__doc__).splitlines()[0]
    versions = ", ".join(f"{library} {version}" for library, version in dict(content["versions"]).items())  # type: ignore[call-overload]
    rows = "\n".join(Result(**result).row() for result in content["results"])  # type: ignore[attr-defined]
    where = (
        f"{content['date']}; {content['machine']}; load average before the end {content['load_average']}; {versions}"
    )
    return f"## {name}\n\n{title}\n\n{TABLE_HEAD}\n{rows}\n\n{where}\n"
