"""The life of a run: it ends, goes on, gets a name and notes, is deleted and comes back, and has runs inside it."""

from __future__ import annotations

from typing import Self

from kernel_tools.core.errors import ConflictError, InvalidArgumentError, NotFoundError
from kernel_tools.core.workspace import validate_title
from kernel_tools.experiments import catalog
from kernel_tools.experiments.compaction import COMPACT_AT_FINISH, compact
from kernel_tools.experiments.records import (
    ARCHIVED_TAG,
    FAVOURITE_TAG,
    NOTE_TAG,
    Lifecycle,
    RunRecord,
    RunStatus,
    RunTree,
)
from kernel_tools.experiments.run_base import RunBase, require_active
from kernel_tools.experiments.run_files import RunDocument, now
from kernel_tools.experiments.texts import to_texts, validate_key
from kernel_tools.experiments.writers import close_writer


class RunLifecycle(RunBase):
    """The part of a run that changes its state."""

    def finish(self, status: RunStatus | str = RunStatus.FINISHED, ended_at: int | None = None) -> None:
        """End the run and bring the catalog up to date; later points are refused.

        Parameters
        ----------
        status
            FINISHED, FAILED or KILLED.
        ended_at
            Milliseconds since 1970 UTC. Default: now.
        """
        try:
            ended = RunStatus(status)
        except ValueError:
            raise InvalidArgumentError(f"{status!r} is no way to end a run: use FINISHED, FAILED or KILLED.") from None
        if ended.is_open:
            raise InvalidArgumentError(f"A run cannot end as {ended.value}: use FINISHED, FAILED or KILLED.")
        close_writer(self._folder)

        def change(document: RunDocument) -> None:
            require_active(document)
            if not document.status.is_open:
                raise ConflictError(f"Run {self.id!r} has ended already, as {document.status.value}.")
            document.status = ended
            document.ended_at = now() if ended_at is None else ended_at

        self._folder.change(change, self._index)
        if self._folder.metrics_size() >= COMPACT_AT_FINISH:
            compact(self._folder)
        catalog.index_metrics(self._workspace.database, self._folder)
        self._workspace.audit.record("run.end", self.id, {"status": ended.value})

    def resume(self, *, owned: bool = True) -> Self:
        """Let an ended run go on: it is RUNNING again, and belongs to this process if `owned`."""
        from kernel_tools.core.processes import current_process

        def change(document: RunDocument) -> None:
            document.status = RunStatus.RUNNING
            document.ended_at = None
            document.process = current_process() if owned else None

        self._change(change)
        self._workspace.audit.record("run.resume", self.id)
        return self

    def rename(self, name: str) -> None:
        """Give the run another name."""
        validate_title(name, "run name")
        self._change(lambda document: setattr(document, "name", name))

    def set_note(self, markdown: str, expected: str | None = None) -> None:
        """Set the run's note; an empty one takes it away.

        Parameters
        ----------
        markdown
            The note.
        expected
            The note that the caller has seen and changes; None if it does not matter.

        Raises
        ------
        ConflictError
            If the note is not the expected one any more: somebody else has changed it.
        """
        texts = to_texts({NOTE_TAG: markdown})

        def change(document: RunDocument) -> None:
            if expected is not None and document.tags.get(NOTE_TAG, "") != expected:
                raise ConflictError(
                    f"The note of run {self.id!r} was changed meanwhile by somebody else. Read theirs, then write "
                    "yours again."
                )
            document.tags |= texts
            if not markdown:
                del document.tags[NOTE_TAG]

        self._change(change)

    def set_favourite(self, is_favourite: bool = True) -> None:
        """Mark the run as a favourite, or no longer."""
        self._mark(FAVOURITE_TAG, is_favourite)

    def set_archived(self, is_archived: bool = True) -> None:
        """Put the run out of sight without deleting it, or bring it back."""
        self._mark(ARCHIVED_TAG, is_archived)
        self._workspace.audit.record("run.archive" if is_archived else "run.unarchive", self.id)

    def delete_tag(self, key: str) -> None:
        """Delete a tag; NotFoundError if the run has none of that key."""
        validate_key(key)

        def change(document: RunDocument) -> None:
            if document.tags.pop(key, None) is None:
                raise NotFoundError(f"Run {self.id!r} has no tag {key!r}.")

        self._change(change)

    def delete(self) -> None:
        """Delete the run: searches leave it out, and it can be restored until `atelier experiments gc` removes it."""
        self._set_deleted(True)

    def restore(self) -> None:
        """Undo `delete`."""
        self._set_deleted(False)

    def compact(self) -> int:
        """Put the points of an ended run into one compressed file; returns the number of segments it replaced."""
        if self.status.is_open:
            raise ConflictError(f"Run {self.id!r} is running; it can be compacted when it has ended.")
        close_writer(self._folder)
        replaced = compact(self._folder)
        catalog.index_metrics(self._workspace.database, self._folder)
        return replaced

    @property
    def children(self) -> list[RunRecord]:
        """The runs directly inside this one, the oldest first; deleted ones are left out."""
        return [branch.run for branch in self.tree.children]

    @property
    def tree(self) -> RunTree:
        """This run and everything nested in it, at any depth."""
        return catalog.read_tree(self._workspace, self.record)

    def _mark(self, tag: str, is_set: bool) -> None:
        def change(document: RunDocument) -> None:
            document.tags[tag] = "true"
            if not is_set:
                del document.tags[tag]

        self._change(change)

    def _set_deleted(self, is_deleted: bool) -> None:
        def change(document: RunDocument) -> None:
            document.lifecycle = Lifecycle.DELETED if is_deleted else Lifecycle.ACTIVE
            document.deleted_at = now() if is_deleted else None

        self._folder.change(change, self._index)
        self._workspace.audit.record("run.delete" if is_deleted else "run.restore", self.id)
