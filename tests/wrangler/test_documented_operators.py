"""The page of operators says what they say.

``python -m tests.wrangler.test_documented_operators`` writes it.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from kernel_tools.wrangler.operators import OPERATORS, operator_class, schema_of

PAGE = Path(__file__).parents[2] / "docs" / "wrangler-operators.md"
HEAD = """# Steps of the Data Wrangler

All operators, by family. Each is a method of a recipe, `recipe.impute(["age"], strategy="median")`, and a step in the
studio. This page is made from the operators themselves (`python -m tests.wrangler.test_documented_operators`).
"""


def page() -> str:
    """Return the page as it has to be."""
    families: dict[str, list[str]] = {}
    for op in OPERATORS:
        families.setdefault(operator_class(op).family, []).append(op)
    lines = [HEAD]
    for family in sorted(families):
        lines += [f"## {family.capitalize()}", ""]
        for op in sorted(families[family]):
            lines += described(op)
    return "\n".join(lines).rstrip() + "\n"


def described(op: str) -> list[str]:
    """Return the lines about one operator."""
    kind = operator_class(op)
    text = (inspect.getdoc(kind) or "").split("References\n")[0].split("\n\n")
    words = [" ".join(part.split()) for part in text if part.strip()]
    lines = [f"### {op}", "", *words, ""]
    rows = schema_of(op).get("properties", {})
    if rows:
        lines += ["| parameter | what | default |", "| --- | --- | --- |"]
        for name, schema in rows.items():
            needed = "needed" if "default" not in schema else f"`{schema['default']!r}`"
            lines.append(f"| `{name}` | {_cell(schema)} | {needed.replace('|', '&#124;')} |")
        lines.append("")
    return lines


def _cell(schema: dict[str, Any]) -> str:
    choices = schema.get("enum", [])
    listed = f" One of {', '.join(f'`{one}`' for one in choices)}." if choices else ""
    return (schema.get("description", "") + listed).replace("|", "&#124;").replace("\n", " ")


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m tests.wrangler.test_documented_operators"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
