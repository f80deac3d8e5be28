"""A compiled package: what `compile` returns, and what is kept with a version."""

from __future__ import annotations

import html
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from kernel_tools.compiler.manifest import Manifest, Measure
from kernel_tools.compiler.runtime import CompiledModel
from kernel_tools.core.errors import AtelierError, ConflictError
from kernel_tools.core.workspace import Workspace, current_workspace
from kernel_tools.registry import packages as records
from kernel_tools.registry.packages import PackageRecord
from kernel_tools.registry.version import ModelVersion

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

ORIGINAL = "original"


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the comparison: the original, or a target.

    Parameters
    ----------
    target
        ``original`` or the target's name.
    precision
        The numbers in which it computes.
    row_us, batch_us, memory_mib, load_s, size
        As in `Measure`; None where nothing was measured.
    max_difference, labels_changed, ties, agreement, loss
        As in `Parity`; None for the original.
    is_chosen
        Whether this is the package.
    refusal
        Why it was refused.
    """

    target: str
    precision: str = ""
    row_us: float | None = None
    batch_us: float | None = None
    memory_mib: float | None = None
    load_s: float | None = None
    size: int | None = None
    max_difference: float | None = None
    labels_changed: int | None = None
    ties: int | None = None
    agreement: float | None = None
    loss: float | None = None
    is_chosen: bool = False
    refusal: str = ""

    @classmethod
    def of_original(cls, measure: Measure) -> Candidate:
        """Return the line of the original."""
        return cls(target=ORIGINAL, **_costs(measure))

    @classmethod
    def of(cls, manifest: Manifest, *, is_chosen: bool) -> Candidate:
        """Return the line of a package."""
        parity = manifest.parity
        return cls(
            target=manifest.target,
            precision=manifest.precision,
            **_costs(manifest.compiled),
            max_difference=parity.max_difference,
            labels_changed=parity.labels_changed,
            ties=parity.ties,
            agreement=parity.agreement,
            loss=parity.loss,
            is_chosen=is_chosen,
        )

    @classmethod
    def refused(cls, target: str, error: AtelierError) -> Candidate:
        """Return the line of a target that was refused."""
        return cls(target=target, refusal=str(error)[:2000])


def _costs(measure: Measure) -> dict[str, Any]:
    return {
        "row_us": measure.row_us,
        "batch_us": measure.batch_us,
        "memory_mib": measure.memory_mib,
        "load_s": measure.load_s,
        "size": measure.size,
    }


class CompiledPackage:
    """A compiled model in a package.

    Attributes
    ----------
    manifest : Manifest
        What goes in and out, what it was made of, and what was measured.
    candidates : list of Candidate
        The original and all targets that were looked at; one of them is the package.
    record : PackageRecord or None
        What the registry knows, for a package that is kept with a version.
    """

    def __init__(
        self,
        manifest: Manifest,
        candidates: Sequence[Candidate],
        record: PackageRecord | None,
        workspace: Workspace | None,
        folder: Path | None = None,
        temporary: tempfile.TemporaryDirectory[str] | None = None,
    ) -> None:
        self.manifest = manifest
        self.candidates = list(candidates)
        self.record = record
        self._workspace = workspace
        self._folder = folder
        self._temporary = temporary

    def __repr__(self) -> str:
        manifest = self.manifest
        source = manifest.source
        what = f"{source.model!r} version {source.version}" if source.model else source.model_class
        return f"<CompiledPackage {manifest.target} of {what}, {manifest.compiled.row_us:.0f} µs a row>"

    @property
    def id(self) -> str | None:
        """The package's id in the registry."""
        return self.record.id if self.record else None

    @property
    def target(self) -> str:
        """What it was compiled to."""
        return self.manifest.target

    @property
    def speedup(self) -> float:
        """How many times quicker one row is than with the original."""
        return self.manifest.original.row_us / self.manifest.compiled.row_us

    @property
    def folder(self) -> Path:
        """A folder with the package's files, which lives as long as this object."""
        if self._folder is None:
            assert self.record is not None
            self._temporary = tempfile.TemporaryDirectory(prefix="atelier-package-", ignore_cleanup_errors=True)
            self._folder = records.download_package(self.record, self._temporary.name, workspace=self._workspace)
        return self._folder

    def load(self, threads: int = 1) -> CompiledModel:
        """Load the model; arguments and errors as for `CompiledModel`."""
        return CompiledModel(self.folder, threads)

    def save(self, folder: str | Path) -> Path:
        """Write the package's files into a folder, which is made, and return it; ConflictError if it is not empty."""
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        if any(target.iterdir()):
            raise ConflictError(f"The folder {str(target)!r} is not empty: give another one.")
        for path in self.folder.iterdir():
            shutil.copyfile(path, target / path.name)
        return target

    def delete(self) -> None:
        """Take the package away from its version; ConflictError if it is kept with none."""
        if self.record is None:
            raise ConflictError("This package is not kept with a version: there is nothing to delete.")
        records.delete_package(self.record.id, workspace=self._workspace)

    def table(self) -> pd.DataFrame:
        """Return the comparison, one line for the original and one for each target."""
        import pandas as pd

        rows = [msgspec.to_builtins(candidate) for candidate in self.candidates]
        return pd.DataFrame(rows).set_index("target")

    def figure(self, is_dark: bool = False) -> go.Figure:
        """Draw time and memory of the original and the targets."""
        from kernel_tools.compiler.figures import costs_figure

        return costs_figure(self.candidates, is_dark)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{html.escape(name)}</th>" for name in _HEAD)
        body = "".join(_row(candidate) for candidate in self.candidates)
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self.manifest.notes)
        caption = html.escape(
            f"{self.manifest.parity.rows:,} rows compared; tolerance {self.manifest.parity.tolerance:g}"
        )
        return f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{notes}"


_HEAD = ("Target", "One row, µs", "Row of a batch, µs", "Memory, MiB", "Start, s", "Greatest difference", "Labels", "")


def _row(candidate: Candidate) -> str:
    return "<tr>" + "".join(f"<td>{html.escape(text)}</td>" for text in _cells(candidate)) + "</tr>"


def _cells(candidate: Candidate) -> Iterator[str]:
    yield f"{candidate.target}{' (' + candidate.precision + ')' if candidate.precision else ''}"
    for value in (candidate.row_us, candidate.batch_us, candidate.memory_mib, candidate.load_s):
        yield "" if value is None else f"{value:,.3g}" if value < 100 else f"{value:,.0f}"
    yield "" if candidate.max_difference is None else f"{candidate.max_difference:.2g}"
    changed = [f"{candidate.labels_changed:,} changed"] if candidate.labels_changed else []
    changed += [f"{candidate.ties:,} ties"] if candidate.ties else []
    yield ", ".join(changed) if changed else "" if candidate.max_difference is None else "same"
    yield candidate.refusal or ("chosen" if candidate.is_chosen else "")


def packages(version: ModelVersion) -> list[CompiledPackage]:
    """Return the packages of a version, the newest first."""
    found = records.list_packages(version.name, version.version, workspace=version.workspace)
    return [read_package(record, version.workspace) for record in found]


def get_package(package_id: str, *, workspace: Workspace | None = None) -> CompiledPackage:
    """Return a package that is kept with a version; NotFoundError if there is none with this id."""
    workspace = workspace or current_workspace()
    return read_package(records.get_package(package_id, workspace=workspace), workspace)


def delete_package(package_id: str, *, workspace: Workspace | None = None) -> None:
    """Take a package away from its version; NotFoundError if there is none with this id."""
    records.delete_package(package_id, workspace=workspace)


def read_package(record: PackageRecord, workspace: Workspace) -> CompiledPackage:
    """Return a package as the registry keeps it; its files are read when they are needed."""
    manifest = msgspec.convert(record.manifest, Manifest)
    candidates = [msgspec.convert(candidate, Candidate) for candidate in record.candidates]
    return CompiledPackage(manifest, candidates, record, workspace)
