"""Every notebook runs from top to bottom in a fresh workspace; the quickstart does so in `test_cli`."""

from pathlib import Path

import papermill
import pytest

from kernel_tools.launch import QUICKSTART, _kernel_transport, notebooks_folder

NOTEBOOKS = [
    path.relative_to(notebooks_folder()).as_posix()
    for path in sorted(notebooks_folder().rglob("*.ipynb"))
    if path.name != QUICKSTART and not path.parent.name.startswith(".")
]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs_from_top_to_bottom(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ATELIER_CAPTURE_SOURCE")
    notebook = notebooks_folder() / name
    papermill.execute_notebook(
        notebook,
        tmp_path / notebook.name,
        cwd=str(notebook.parent),
        kernel_name="python3",
        progress_bar=False,
        config=_kernel_transport(),
    )
