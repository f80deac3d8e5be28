"""Which steps with somebody's code may run: those that a user of this workspace has read and trusted.

Trust is kept as hashes of the code, below the workspace; a changed line is another code. A recipe that is built in
Python is trusted: whoever built it could have run the code.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from kernel_tools.core.locks import hold_lock
from kernel_tools.core.workspace import atomic_write
from kernel_tools.wrangler.document import Analysis, Node, RecipeDocument
from kernel_tools.wrangler.operators import UnknownOperatorError, operator_class

if TYPE_CHECKING:
    from pathlib import Path

    from kernel_tools.core.workspace import Workspace


def code_steps(document: RecipeDocument) -> list[Node | Analysis]:
    """Return the steps and the analyses that run somebody's code."""
    from kernel_tools.wrangler.analyses import ANALYSES, analysis_class

    found: list[Node | Analysis] = []
    for node in document.nodes:
        try:
            if operator_class(node.op).runs_code:
                found.append(node)
        except UnknownOperatorError:
            continue
    known = [one for one in document.analyses if one.kind in ANALYSES]
    return found + [one for one in known if analysis_class(one.kind).runs_code]


def is_trusted(document: RecipeDocument, workspace: Workspace) -> bool:
    """Return whether every step with code is trusted here; a recipe without any is."""
    steps = code_steps(document)
    return not steps or {_hash(node) for node in steps} <= _read(_path(workspace))


def trust(document: RecipeDocument, workspace: Workspace) -> None:
    """Let the steps with code of this recipe run in this workspace from now on."""
    path = _path(workspace)
    path.parent.mkdir(parents=True, exist_ok=True)
    with hold_lock(path.with_suffix(".lock")):
        known = _read(path) | {_hash(node) for node in code_steps(document)}
        with atomic_write(path) as file:
            file.write(json.dumps({"version": 1, "code": sorted(known)}).encode())
    workspace.audit.record(
        "recipe.trust", f"recipe/{document.name}", {"steps": [one.id for one in code_steps(document)]}
    )


def _path(workspace: Workspace) -> Path:
    return workspace.root / "wrangler" / "trusted.json"


def _read(path: Path) -> set[str]:
    try:
        return set(json.loads(path.read_bytes())["code"])
    except FileNotFoundError:
        return set()


def _hash(part: Node | Analysis) -> str:
    what = part.op if isinstance(part, Node) else part.kind
    return hashlib.sha256(json.dumps([what, part.params], sort_keys=True).encode()).hexdigest()
