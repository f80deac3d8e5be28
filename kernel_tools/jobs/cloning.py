"""A job as a notebook: what it was given and what it ran, to be read, changed, and submitted again."""

from __future__ import annotations

import ast
import json
import keyword
import os
import pprint
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernel_tools.core.errors import ConflictError
from kernel_tools.core.workspace import Workspace, atomic_write
from kernel_tools.jobs.folder import JobFolder
from kernel_tools.jobs.handle import Job
from kernel_tools.jobs.sources import source_files
from kernel_tools.jobs.spec import JobSpec

if TYPE_CHECKING:
    from nbformat import NotebookNode

LARGEST_FILE = 100_000
MOST_FILES = 20
"""Source files that are written out in the notebook; others are copied from the job's folder when the cell runs."""


def clone_as_notebook(workspace: Workspace, name: str, destination: Path) -> Path:
    """Write a notebook that holds a job's parameters, inputs and source, and a cell that submits it again.

    The source of a script, module or command stands in cells that write it below ``<job>-source/`` beside the notebook,
    where it can be changed; of a notebook its own cells are taken over. A function travels by value: its source is
    shown, and the job's own copy is submitted.

    Parameters
    ----------
    workspace
        Where the job is.
    name
        The job.
    destination
        The notebook to write, or a folder, in which it is called ``<job>.ipynb``. Its folder is made if need be.

    Returns
    -------
    Path
        The notebook.

    Raises
    ------
    NotFoundError
        If there is no such job.
    ConflictError
        If there is a file already.
    """
    import nbformat

    job = Job(workspace, name)
    path = destination if destination.suffix == ".ipynb" else destination / f"{name}.ipynb"
    if path.exists():
        raise ConflictError(f"There is already a file {str(path)!r}. Choose another name, or delete it.")
    notebook = _notebook(job.spec, JobFolder(workspace.root / "jobs" / name), job.url)
    nbformat.validate(notebook)
    with atomic_write(path) as file:
        file.write(nbformat.writes(notebook).encode())  # type: ignore[no-untyped-call]
    return path


def _notebook(spec: JobSpec, folder: JobFolder, url: str) -> NotebookNode:
    from nbformat import v4

    entry = spec.entry
    of_experiment = f" of the experiment *{spec.experiment}*" if spec.experiment else ""
    cells = [
        _text(
            f"# {spec.name}\n\nA copy of the job [{spec.name}]({url}): {entry.kind} `{entry.target}`{of_experiment}. "
            "Change what you like, and run all cells to submit it again."
        )
    ]
    if entry.kind == "notebook":
        cells += _cells_of(spec, folder.source / entry.target)
    else:
        cells += [_text("## Parameters"), _parameters(_assignments(spec)), _code(_dict_of_params(spec))]
    if spec.inputs:
        cells += [_text("## Inputs"), _code(_inputs(spec))]
    if entry.kind != "notebook":
        cells += [_text("## Source"), *_source_cells(spec, folder)]
    cells += [_text("## Submit it again"), _code(f"import kernel_tools as kt\n\n{_submission(spec, folder)}\njob")]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    made: NotebookNode = v4.new_notebook(cells=cells, metadata=metadata)  # type: ignore[no-untyped-call]
    return made


def _text(source: str) -> Any:
    from nbformat import v4

    return v4.new_markdown_cell(source)  # type: ignore[no-untyped-call]


def _code(source: str) -> Any:
    from nbformat import v4

    return v4.new_code_cell(source)  # type: ignore[no-untyped-call]


def _parameters(source: str) -> Any:
    """Return the cell that papermill puts other parameters behind."""
    cell = _code(source)
    cell.metadata["tags"] = ["parameters"]
    return cell


def _assignments(spec: JobSpec) -> str:
    lines = [f"{key} = {_literal(value)}" for key, value in spec.params.items() if _is_variable(key)]
    return "\n".join(lines) or "# The job has no parameters that could be variables."


def _dict_of_params(spec: JobSpec) -> str:
    items = [f"{key!r}: {key if _is_variable(key) else _literal(value)}" for key, value in spec.params.items()]
    return f"params = {{{', '.join(items)}}}"


def _is_variable(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name) and name not in ("kt", "params", "inputs", "job")


def _literal(value: Any) -> str:
    """Write a value of JSON as Python."""
    text = pprint.pformat(value, width=100, sort_dicts=False)
    try:
        ast.literal_eval(text)
    except ValueError:  # NaN or an infinity in it
        return f"__import__('json').loads({json.dumps(value)!r})"
    return text


def _inputs(spec: JobSpec) -> str:
    """Write the inputs; data that were copied out of another notebook are taken from the job by `rerun`."""
    lines = []
    for channel, data in spec.inputs.items():
        note = f"sha256 {data.sha256[:12]}..., {data.size:,} bytes"
        lines.append(f"    {channel!r}: {data.path!r},  # {note}")
    if _has_variables(spec):
        return "\n".join(["# What the job was given, and is given again:", *(f"#{line}" for line in lines)])
    return "\n".join(["inputs = {", *lines, "}"])


def _source_cells(spec: JobSpec, folder: JobFolder) -> list[Any]:
    """Return cells that write the source beside the notebook; what is no text, or long, is copied from the job."""
    files = [path for _, path in source_files(folder.source)]
    if not files:
        words = " ".join([spec.entry.target, *spec.entry.arguments])
        return [_text(f"The job has no source of its own; it ran `{words}`.")]
    texts = {path: content for path in files if (content := _text_of(path)) is not None}
    if _needs_rerun(spec):
        shown = "\n\n".join(f"```python\n{content.rstrip()}\n```" for content in texts.values())
        return [_text(f"The job has its own copy of this, which is submitted again:\n\n{shown}")]
    target = Path(f"{spec.name}-source")
    entry = folder.source / spec.entry.target
    first = sorted(texts, key=lambda path: (path != entry, path))[:MOST_FILES]
    folders = sorted({(target / path.relative_to(folder.source)).parent.as_posix() for path in files})
    made = "\n".join(f"Path({item!r}).mkdir(parents=True, exist_ok=True)" for item in folders)
    cells = [_code(f"from pathlib import Path\n\n{made}")]
    for path in first:
        place = (target / path.relative_to(folder.source)).as_posix()
        quoted = f'"{place}"' if " " in place else place
        cells.append(_code(f"%%writefile {quoted}\n{texts[path].removesuffix(chr(10))}"))
    rest = [path.relative_to(folder.source).as_posix() for path in files if path not in first]
    if rest:
        cells.append(
            _code(
                f"import shutil\n\nfor path in {pprint.pformat(rest, width=100)}:\n"
                f"    shutil.copyfile(Path({str(folder.source)!r}) / path, Path({target.as_posix()!r}) / path)"
            )
        )
    return cells


def _text_of(path: Path) -> str | None:
    """Return what a cell can write into a file again; None if it is no text, or long."""
    if path.stat().st_size > LARGEST_FILE:
        return None
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text or "\r" in text or not text.strip() else text


def _submission(spec: JobSpec, folder: JobFolder) -> str:
    """Return the cell that submits the job again."""
    if _needs_rerun(spec):
        lines = [f"kt.jobs.get({spec.name!r}).rerun("]
        if spec.entry.kind != "function":
            lines.append("    params=params,")
        if spec.inputs and not _has_variables(spec):
            lines.append("    inputs=inputs,")
        call = "\n".join([*lines, ")"]) if len(lines) > 1 else f"{lines[0]})"
    else:
        call = "\n".join(["kt.jobs.submit(", *(f"    {line}," for line in _submit_arguments(spec, folder)), ")"])
    if spec.entry.kind == "notebook":
        # the clone of a notebook may become a job itself, and then must not submit again
        return f"job = None if kt.jobs.current_job() else {call}"
    return f"job = {call}"


def _submit_arguments(spec: JobSpec, folder: JobFolder) -> list[str]:
    entry = spec.entry
    words = [os.path.basename(entry.target) if os.path.isabs(entry.target) else entry.target, *entry.arguments]
    first = {"module": repr(f"-m {entry.target}"), "command": repr(words)}.get(entry.kind, repr(entry.target))
    arguments = [first]
    if any(folder.source.iterdir()):
        arguments.append(f"source_dir={spec.name + '-source'!r}")
    arguments.append("params=params")
    if spec.inputs:
        arguments.append("inputs=inputs")
    if spec.experiment:
        arguments.append(f"experiment={spec.experiment!r}")
    for name in ("resources", "spot", "checkpoint", "retries"):
        value = getattr(spec, name)
        if value is not None and value != _default(name):
            plain = ", ".join(f"{item.name}={getattr(value, item.name)!r}" for item in fields(value))
            arguments.append(f"{name}=kt.jobs.{type(value).__name__}({plain})")
    for name in ("max_runtime", "grace", "priority", "launcher"):
        if getattr(spec, name) != _default(name):
            arguments.append(f"{name}={getattr(spec, name)!r}")
    for name in ("secrets", "tags", "debugger"):
        if getattr(spec, name):
            arguments.append(f"{name}={dict(getattr(spec, name))!r}")
    return arguments


def _default(name: str) -> Any:
    return next(item.default for item in fields(JobSpec) if item.name == name)


def _needs_rerun(spec: JobSpec) -> bool:
    """Whether only the job's own folder has what is needed: a function by value, a notebook, a notebook's variables."""
    return spec.entry.kind in ("function", "notebook") or _has_variables(spec)


def _has_variables(spec: JobSpec) -> bool:
    from kernel_tools.jobs.inputs import is_url

    return any(data.is_kept and not is_url(data.path) for data in spec.inputs.values())


def _cells_of(spec: JobSpec, path: Path) -> list[Any]:
    """Return a notebook's cells without outputs, its parameters set to those of the job."""
    import nbformat

    cells = nbformat.read(path, as_version=4).cells  # type: ignore[no-untyped-call]
    for cell in cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    tagged = [number for number, cell in enumerate(cells) if "parameters" in cell.metadata.get("tags", [])]
    given = f"# What the job was given:\n{_assignments(spec)}"
    if tagged:
        cells[tagged[0]].source += f"\n\n{given}"
    else:
        cells.insert(0, _parameters(given))
    cells.insert((tagged or [0])[0] + 1, _code(_dict_of_params(spec)))
    return list(cells)
