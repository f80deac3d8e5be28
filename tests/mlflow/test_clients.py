"""The protocol as MLflow's own clients see it: every case of `clients/` runs in MLflow's environment."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

CASES = [
    (file.stem, node.name)
    for file in sorted((Path(__file__).parent / "clients").glob("*.py"))
    for node in ast.parse(file.read_text()).body
    if isinstance(node, ast.FunctionDef) and node.name.startswith("case_")
]


@pytest.mark.parametrize(("file", "case"), CASES, ids=[f"{file}-{case[5:]}" for file, case in CASES])
def test_mlflows_client(clients: Any, file: str, case: str) -> None:
    clients.check(file, case)
