"""The file of an experiment, `experiments/<id>.json`: its name, tags and life cycle. The catalog only indexes it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from kernel_tools.core.errors import IntegrityError, InvalidArgumentError, NotFoundError
from kernel_tools.core.locks import hold_lock
from kernel_tools.core.workspace import Workspace, atomic_write
from kernel_tools.experiments.disk import explain_disk_errors
from kernel_tools.experiments.records import Lifecycle

EXPERIMENT_VERSION = 1
DEFAULT_NAME = "Default"
DEFAULT_ID = "0"
ID_DIGITS = 18


@dataclass(slots=True)
class ExperimentDocument:
    """What an experiment's file holds; its runs name it by its id."""

    id: str
    name: str
    created_at: int
    updated_at: int
    lifecycle: Lifecycle = Lifecycle.ACTIVE
    is_archived: bool = False
    tags: dict[str, str] = field(default_factory=dict)
    deleted_at: int | None = None


class ExperimentFiles:
    """The experiment files of a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._folder = workspace.root / "experiments"

    def load(self, experiment_id: str) -> ExperimentDocument:
        """Read one experiment.

        Raises
        ------
        NotFoundError
            If there is no such experiment.
        IntegrityError
            If the file is not what Atelier wrote, or was written by a newer version.
        """
        path = self._path(experiment_id)
        try:
            content = json.loads(path.read_bytes())
        except FileNotFoundError:
            raise NotFoundError(
                f"There is no experiment with id {experiment_id!r}. `atelier experiments list` and "
                "`kernel_tools.experiments.list_experiments()` show those that exist."
            ) from None
        except ValueError as error:
            raise IntegrityError(f"{path} is not valid JSON ({error}). Restore it from a backup.") from error
        if not isinstance(content, dict) or content.get("version") != EXPERIMENT_VERSION:
            raise IntegrityError(
                f"{path} has a format other than version {EXPERIMENT_VERSION}. Install the Atelier that wrote it, or "
                "a newer one."
            )
        known = {item.name: content[item.name] for item in fields(ExperimentDocument) if item.name in content}
        known["lifecycle"] = Lifecycle(known["lifecycle"])
        return ExperimentDocument(**known)

    def add(self, document: ExperimentDocument, index: Callable[[ExperimentDocument], None]) -> None:
        """Write a new experiment, then index it; the caller holds the lock."""
        self._save(document)
        index(document)

    def change(
        self,
        experiment_id: str,
        change: Callable[[ExperimentDocument], None],
        index: Callable[[ExperimentDocument], None],
    ) -> ExperimentDocument:
        """Apply a change to an experiment and write it whole, then index it, all under the lock."""
        with explain_disk_errors("The experiment was not changed", self._folder), self.locked():
            document = self.load(experiment_id)
            change(document)
            self._save(document)
            index(document)
            return document

    def locked(self) -> AbstractContextManager[None]:
        """Hold the lock of all experiments against other processes."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return hold_lock(self._folder / "experiments.lock")

    def delete(self, experiment_id: str) -> None:
        """Delete the file for good."""
        self._path(experiment_id).unlink(missing_ok=True)

    def ids(self) -> list[str]:
        """Return the ids of all experiments."""
        return sorted(path.stem for path in self._folder.glob("*.json") if path.stem.isdecimal())

    def _path(self, experiment_id: str) -> Path:
        return self._folder / f"{validate_experiment_id(experiment_id)}.json"

    def _save(self, document: ExperimentDocument) -> None:
        with atomic_write(self._path(document.id)) as file:
            content = {"version": EXPERIMENT_VERSION, **asdict(document)}
            file.write(json.dumps(content, ensure_ascii=False, indent=1).encode())


def validate_experiment_id(experiment_id: str) -> str:
    """Return an experiment's id if it can be one: at most 18 decimal digits."""
    is_digits = isinstance(experiment_id, str) and experiment_id.isascii() and experiment_id.isdecimal()
    if not is_digits or len(experiment_id) > ID_DIGITS:
        raise InvalidArgumentError(
            f"{str(experiment_id)[:80]!r} is not the id of an experiment: use its 1 to {ID_DIGITS} digits, or its name."
        )
    return experiment_id


def propose_id(name: str, attempt: int = 0) -> str:
    """Make an id for an experiment: a number out of the digest of its name, so that two workspaces agree on it.

    A further `attempt` gives another one, for when the first belongs to an experiment that has been renamed.
    """
    if name == DEFAULT_NAME and attempt == 0:
        return DEFAULT_ID
    text = name if attempt == 0 else f"{name}\0{attempt}"
    return str(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) % 10**ID_DIGITS)
