"""One change of many runs: each is changed by itself, and those that could not be are named with the reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from kernel_tools.core.errors import AtelierError, InvalidArgumentError
from kernel_tools.core.workspace import Workspace, current_workspace
from kernel_tools.experiments.records import Lifecycle
from kernel_tools.experiments.run import Run
from kernel_tools.experiments.texts import to_texts, validate_key

MAX_RUNS = 1000


class RunChange(StrEnum):
    """What is done to every run."""

    SET_TAGS = "set_tags"
    DELETE_TAGS = "delete_tags"
    ARCHIVE = "archive"
    UNARCHIVE = "unarchive"
    FAVOURITE = "favourite"
    UNFAVOURITE = "unfavourite"
    DELETE = "delete"
    RESTORE = "restore"


@dataclass(frozen=True, slots=True)
class ChangedRuns:
    """How many runs were changed, how many were so already, and why the others could not be, by their ids."""

    changed: int
    unchanged: int
    failures: dict[str, str] = field(default_factory=dict)


def change_runs(
    run_ids: Sequence[str],
    change: RunChange | str,
    *,
    tags: Mapping[str, Any] | None = None,
    tag_keys: Sequence[str] = (),
    workspace: Workspace | None = None,
) -> ChangedRuns:
    """Change many runs.

    Parameters
    ----------
    run_ids
        At most 1,000 ids; one that is named twice counts once.
    change
        What to do, see `RunChange`.
    tags
        For ``set_tags``: the tags.
    tag_keys
        For ``delete_tags``: the keys of the tags to take away. A run that has none of them is left as it is.
    workspace
        Default: the current workspace.

    Raises
    ------
    InvalidArgumentError
        If there are too many runs, or a tag cannot be used. What is wrong with a single run is told in the result.
    """
    if len(run_ids) > MAX_RUNS:
        raise InvalidArgumentError(f"{len(run_ids):,} runs are not changed at once: name at most {MAX_RUNS:,}.")
    apply = _function(RunChange(change), to_texts(tags or {}), [validate_key(key) for key in tag_keys])
    workspace = workspace or current_workspace()
    outcomes: list[bool] = []
    failures: dict[str, str] = {}
    for run_id in dict.fromkeys(run_ids):
        try:
            outcomes.append(apply(Run(workspace, run_id)))
        except AtelierError as error:
            failures[run_id] = str(error)
    workspace.audit.record("runs.change", RunChange(change).value, {"changed": sum(outcomes), "failed": len(failures)})
    return ChangedRuns(sum(outcomes), len(outcomes) - sum(outcomes), failures)


def _function(change: RunChange, tags: dict[str, str], tag_keys: list[str]) -> Callable[[Run], bool]:
    """Return what changes one run and says whether there was anything to change."""

    def set_tags(run: Run) -> bool:
        is_new = any(run.tags.get(key) != value for key, value in tags.items())
        if is_new:
            run.set_tags(tags)
        return is_new

    def delete_tags(run: Run) -> bool:
        present = [key for key in tag_keys if key in run.tags]
        for key in present:
            run.delete_tag(key)
        return bool(present)

    def mark(is_set: bool, read: Callable[[Run], bool], write: Callable[[Run, bool], None]) -> Callable[[Run], bool]:
        def apply(run: Run) -> bool:
            is_new = read(run) is not is_set
            if is_new:
                write(run, is_set)
            return is_new

        return apply

    def move(lifecycle: Lifecycle, write: Callable[[Run], None]) -> Callable[[Run], bool]:
        def apply(run: Run) -> bool:
            is_new = run.lifecycle is not lifecycle
            if is_new:
                write(run)
            return is_new

        return apply

    functions: dict[RunChange, Callable[[Run], bool]] = {
        RunChange.SET_TAGS: set_tags,
        RunChange.DELETE_TAGS: delete_tags,
        RunChange.ARCHIVE: mark(True, lambda run: run.is_archived, Run.set_archived),
        RunChange.UNARCHIVE: mark(False, lambda run: run.is_archived, Run.set_archived),
        RunChange.FAVOURITE: mark(True, lambda run: run.is_favourite, Run.set_favourite),
        RunChange.UNFAVOURITE: mark(False, lambda run: run.is_favourite, Run.set_favourite),
        RunChange.DELETE: move(Lifecycle.DELETED, Run.delete),
        RunChange.RESTORE: move(Lifecycle.ACTIVE, Run.restore),
    }
    return functions[change]
