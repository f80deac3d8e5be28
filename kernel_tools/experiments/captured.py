"""What runs captured of their code and their environment, read back and compared."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kernel_tools.experiments.capture.environment import PACKAGES_PATH
from kernel_tools.experiments.capture.source import (
    CELL_PATH,
    COMMAND,
    DIFF_OMITTED,
    DIFF_PATH,
    GIT_BRANCH,
    GIT_COMMIT,
    GIT_DIRTY,
    SOURCE_NAME,
    SOURCE_TYPE,
)
from kernel_tools.experiments.comparison import ComparedRow, Value, align
from kernel_tools.experiments.run import Run

MAX_TEXT = 1024 * 1024
"""Bytes of a file that are compared line by line; of a longer one only whether it is the same is said."""
MAX_LINES = 10_000
MAX_DIFF_LINES = 5000
"""Lines of a difference that are returned."""

_TAGS = {
    "source": SOURCE_NAME,
    "type": SOURCE_TYPE,
    "command": COMMAND,
    "commit": GIT_COMMIT,
    "branch": GIT_BRANCH,
    "changed since the commit": GIT_DIRTY,
    "changes": DIFF_OMITTED,
}
_PYTHON = re.compile(r"# Python (.+)")
_PACKAGE = re.compile(r"([^#=\s]+)==(\S+)")


@dataclass(frozen=True, slots=True)
class FileDifference:
    """A file that two runs kept.

    Attributes
    ----------
    path
        Such as ``source/cell.py``, the code of the notebook cell, or ``source/diff.patch``, what was not committed.
    present
        Whether the first and the second run have it.
    lines
        The unified difference from the first to the second; a file that one run lacks is an empty one there.
    is_different
        Whether there is any.
    note
        Why there are no lines, or not all.
    """

    path: str
    present: tuple[bool, bool]
    lines: list[str]
    is_different: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class CodeComparison:
    """The code of two runs: what is known of it, the files that were captured, and which runs captured nothing.

    `command` shows what was committed between the runs, in their repository; it is None if that is not known or
    nothing was.
    """

    facts: list[ComparedRow]
    files: list[FileDifference]
    uncaptured: list[str]
    command: str | None


@dataclass(frozen=True, slots=True)
class EnvironmentComparison:
    """Python, machine and packages of runs, a value for each run; and the ids of the runs that captured nothing."""

    rows: list[ComparedRow]
    uncaptured: list[str]


def compare_code(first: Run, second: Run) -> CodeComparison:
    """Compare the code of two runs, as far as they captured it.

    Returns
    -------
    CodeComparison
        Scripts are not kept by a run: their code is that of the git commit, with what was not committed. `command`
        shows the difference of the commits.
    """
    runs = (first, second)
    tags = [run.tags for run in runs]
    facts = align([{"code": {name: tag[key] for name, key in _TAGS.items() if key in tag}} for tag in tags], ("code",))
    files = [compare_file(first, second, path) for path in (CELL_PATH, DIFF_PATH)]
    commits = [tag.get(GIT_COMMIT) for tag in tags]
    has_both = None not in commits and commits[0] != commits[1]
    return CodeComparison(
        facts=facts,
        files=[file for file in files if any(file.present)],
        uncaptured=[run.id for run, tag in zip(runs, tags, strict=True) if not _has_source(run, tag)],
        command=f"git diff {commits[0]} {commits[1]}" if has_both else None,
    )


def compare_environments(runs: Sequence[Run]) -> EnvironmentComparison:
    """Compare Python, machine and packages of runs, as far as they captured them.

    Returns
    -------
    EnvironmentComparison
        Its rows have the parts ``environment`` (python, machine, accelerators) and ``packages``. A run that captured
        nothing has None everywhere, and does not make a row different.
    """
    texts = [_read_text(run, PACKAGES_PATH) for run in runs]
    read = [_parse_environment(text) if text is not None else None for text in texts]
    nothing: dict[str, Mapping[str, Value]] = {"environment": {}, "packages": {}}
    aligned = align([item or nothing for item in read], in_order=("environment",))
    known = align([item for item in read if item is not None], in_order=("environment",))
    different = {(row.part, row.name) for row in known if row.is_different}
    return EnvironmentComparison(
        rows=[ComparedRow(row.part, row.name, row.values, (row.part, row.name) in different) for row in aligned],
        uncaptured=[run.id for run, item in zip(runs, read, strict=True) if item is None],
    )


def compare_file(first: Run, second: Run, path: str) -> FileDifference:
    """Compare the texts that two runs kept under a path, line by line; what is no text is only said to differ."""
    records = [next((item for item in run.artifacts if item.path == path), None) for run in (first, second)]
    present = (records[0] is not None, records[1] is not None)
    digests = {record.sha256 if record is not None else None for record in records}
    if len(digests) == 1:
        return FileDifference(path, present, [], is_different=False)
    texts = [_read_text(run, path) if has else "" for run, has in zip((first, second), present, strict=True)]
    before, after = (None if text is None else text.splitlines() for text in texts)
    if before is None or after is None or max(len(before), len(after)) > MAX_LINES:
        note = f"too long to be compared line by line (more than {MAX_LINES:,} lines or {MAX_TEXT:,} bytes)"
        return FileDifference(path, present, [], is_different=True, note=note)
    if any("\0" in text for text in texts if text is not None):
        return FileDifference(path, present, [], is_different=True, note="not a text")
    difference = list(difflib.unified_diff(before, after, fromfile=first.name, tofile=second.name, lineterm=""))
    cut = f"the first {MAX_DIFF_LINES:,} of {len(difference):,} lines" if len(difference) > MAX_DIFF_LINES else ""
    return FileDifference(path, present, difference[:MAX_DIFF_LINES], is_different=True, note=cut)


def _has_source(run: Run, tags: Mapping[str, str]) -> bool:
    return any(key in tags for key in (SOURCE_NAME, GIT_COMMIT)) or any(
        artifact.path in (CELL_PATH, DIFF_PATH) for artifact in run.artifacts
    )


def _read_text(run: Run, path: str) -> str | None:
    """Return a text that a run kept; None if it has none there, or one that is too long."""
    record = next((item for item in run.artifacts if item.path == path), None)
    if record is None or record.size > MAX_TEXT:
        return None
    with run.open_artifact(path) as file:
        return file.read().decode(errors="replace")


def _parse_environment(text: str) -> dict[str, Mapping[str, Value]]:
    """Read what `capture.environment.environment_text` wrote."""
    comments = [line for line in text.splitlines() if line.startswith("#")]
    others = [line.removeprefix("# ") for line in comments if not _PYTHON.match(line)]
    facts: dict[str, Value] = {}
    python = next((match[1] for line in comments if (match := _PYTHON.match(line))), None)
    if python is not None:
        facts["python"] = python
    if others:
        facts["machine"] = others[0]
    if others[1:]:
        facts["accelerators"] = ", ".join(others[1:])
    packages: dict[str, Value] = {match[1]: match[2] for match in map(_PACKAGE.match, text.splitlines()) if match}
    return {"environment": facts, "packages": packages}
