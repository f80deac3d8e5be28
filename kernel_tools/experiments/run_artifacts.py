"""The files of a run: kept, listed, read, deleted."""

from __future__ import annotations

import json
import mimetypes
import os
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any, BinaryIO

from kernel_tools.core.errors import InvalidArgumentError, NotFoundError
from kernel_tools.experiments.artifact_log import Deletion, is_at_or_below
from kernel_tools.experiments.disk import explain_disk_errors
from kernel_tools.experiments.records import ArtifactEntry, ArtifactRecord
from kernel_tools.experiments.run_base import RunBase, require_active
from kernel_tools.experiments.run_files import RunDocument, now

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go
    from numpy.typing import ArrayLike


class RunArtifacts(RunBase):
    """The part of a run that keeps files."""

    def log_artifact(self, path: str | os.PathLike[str], artifact_path: str | None = None) -> list[ArtifactRecord]:
        """Keep a file, or all files of a folder.

        Parameters
        ----------
        path
            A local file or folder.
        artifact_path
            The folder inside the run's artifacts to put it in. Default: the top.

        Returns
        -------
        list of ArtifactRecord
            One per file. A file logged again under the same path takes the place of the earlier one.

        Raises
        ------
        NotFoundError
            If the path does not exist.
        """
        source = Path(path)
        if not source.exists():
            raise NotFoundError(f"There is no file {str(source)!r} to log. Write it first, or correct the path.")
        files = sorted(item for item in source.rglob("*") if item.is_file()) if source.is_dir() else [source]
        prefix = [artifact_path] if artifact_path else []
        targets = [
            validate_artifact_path("/".join([*prefix, file.relative_to(source.parent).as_posix()])) for file in files
        ]
        with explain_disk_errors("The artifact was not kept", source):
            blobs = [self._workspace.artifacts.put_file(file) for file in files]
        records = [make_record(target, blob.size, blob.sha256) for target, blob in zip(targets, blobs, strict=True)]
        self._keep(records)
        return records

    def put_artifact(self, path: str, source: BinaryIO) -> ArtifactRecord:
        """Keep what is left of a binary stream under a path; it takes the place of an earlier file there."""
        target = validate_artifact_path(path)
        require_active(self._folder.load())
        with explain_disk_errors("The artifact was not kept", self._folder.path):
            blob = self._workspace.artifacts.put_stream(source)
        record = make_record(target, blob.size, blob.sha256)
        self._keep([record])
        return record

    def log_bytes(self, data: bytes, artifact_path: str) -> ArtifactRecord:
        """Keep bytes under a path."""
        import io

        return self.put_artifact(artifact_path, io.BytesIO(data))

    def log_text(self, text: str, artifact_path: str) -> ArtifactRecord:
        """Keep a text as UTF-8."""
        return self.log_bytes(text.encode(), artifact_path)

    def log_dict(self, content: Mapping[str, Any] | Sequence[Any], artifact_path: str) -> ArtifactRecord:
        """Keep a dictionary or a list as JSON; what JSON does not know is written as text."""
        text = json.dumps(content, indent=2, ensure_ascii=False, default=str)
        return self.log_text(text, _with_suffix(artifact_path, ".json"))

    def log_table(self, table: pd.DataFrame | Mapping[str, Any], artifact_path: str) -> ArtifactRecord:
        """Keep a table.

        Parameters
        ----------
        table
            A DataFrame, or a dictionary of columns.
        artifact_path
            Ends in ``.parquet``, ``.csv`` or ``.json`` (records in MLflow's split orientation); ``.parquet`` is
            appended to any other.
        """
        import pandas as pd

        frame = table if isinstance(table, pd.DataFrame) else pd.DataFrame(dict(table))
        if artifact_path.endswith(".csv"):
            return self.log_text(frame.to_csv(index=False), artifact_path)
        if artifact_path.endswith(".json"):
            return self.log_text(frame.to_json(orient="split", index=False, date_format="iso"), artifact_path)
        target = artifact_path if artifact_path.endswith(".parquet") else f"{artifact_path}.parquet"
        return self.log_bytes(frame.to_parquet(), target)

    def log_image(self, image: Any, artifact_path: str) -> ArtifactRecord:
        """Keep an image as PNG.

        Parameters
        ----------
        image
            A Matplotlib figure, a Pillow image, or an array of shape (height, width), (height, width, 1), (..., 3) or
            (..., 4): whole numbers from 0 to 255, or floats from 0 to 1.
        artifact_path
            Where to keep it; ``.png`` is appended if it is missing.
        """
        from kernel_tools.experiments.images import to_png

        return self.log_bytes(to_png(image), _with_suffix(artifact_path, ".png"))

    def log_figure(self, figure: go.Figure, artifact_path: str) -> ArtifactRecord:
        """Keep a figure: Plotly's as JSON, so that the studio and notebooks can draw it again, Matplotlib's as PNG.

        Parameters
        ----------
        figure
            The figure.
        artifact_path
            Where to keep it; ``.plotly.json`` (or ``.png``) is appended if it is missing.
        """
        if hasattr(figure, "savefig"):
            return self.log_image(figure, artifact_path)
        from kernel_tools.core.figures import figure_json

        content = json.dumps(figure_json(figure))
        return self.log_text(content, _with_suffix(artifact_path, ".plotly.json"))

    def log_confusion_matrix(
        self,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        labels: Sequence[object] | None = None,
        artifact_path: str = "confusion_matrix",
    ) -> ArtifactRecord:
        """Keep the confusion matrix of a classifier as a figure; see `figures.confusion_matrix`."""
        from kernel_tools.experiments.figures import confusion_matrix

        return self.log_figure(confusion_matrix(y_true, y_pred, labels), artifact_path)

    def log_roc_curve(
        self, y_true: ArrayLike, y_score: ArrayLike, positive: object = 1, artifact_path: str = "roc_curve"
    ) -> ArtifactRecord:
        """Keep the ROC curve of a binary classifier as a figure; see `figures.roc_curve`."""
        from kernel_tools.experiments.figures import roc_curve

        return self.log_figure(roc_curve(y_true, y_score, positive), artifact_path)

    def log_precision_recall_curve(
        self, y_true: ArrayLike, y_score: ArrayLike, positive: object = 1, artifact_path: str = "precision_recall_curve"
    ) -> ArtifactRecord:
        """Keep the precision-recall curve of a binary classifier as a figure; see `figures.precision_recall_curve`."""
        from kernel_tools.experiments.figures import precision_recall_curve

        return self.log_figure(precision_recall_curve(y_true, y_score, positive), artifact_path)

    def artifact(self, path: str) -> ArtifactRecord:
        """Return one artifact's record.

        Raises
        ------
        NotFoundError
            If the run kept nothing under this path.
        """
        for record in self.artifacts:
            if record.path == path:
                return record
        raise NotFoundError(
            f"Run {self.id!r} has no artifact {path!r}. It has {len(self.artifacts)}; see run.artifacts."
        )

    def open_artifact(self, path: str) -> IO[bytes]:
        """Open an artifact for reading; its bytes are checked against their sha256."""
        return self._workspace.artifacts.open(self.artifact(path).sha256)

    def list_artifacts(self, folder: str = "") -> list[ArtifactEntry]:
        """Return the files and folders directly inside a folder of the run's artifacts, by path.

        A folder that does not exist is empty, because folders are only the paths of the files in them.
        """
        prefix = f"{validate_artifact_path(folder)}/" if folder else ""
        entries: dict[str, ArtifactEntry] = {}
        for record in self.artifacts:
            if record.path.startswith(prefix):
                name, _, rest = record.path[len(prefix) :].partition("/")
                path = prefix + name
                before = entries[path].size if path in entries else 0
                entries[path] = ArtifactEntry(path, bool(rest), before + record.size)
        return [entries[path] for path in sorted(entries)]

    def download_artifacts(self, folder: str | os.PathLike[str], path: str = "") -> list[Path]:
        """Write an artifact, or all below a path, into a local folder; returns the files written."""
        from kernel_tools.core.workspace import join_inside

        wanted = [item for item in self.artifacts if not path or item.path == path or item.path.startswith(f"{path}/")]
        if path and not wanted:
            self.artifact(path)
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        return [self._workspace.artifacts.download(item.sha256, join_inside(target, item.path)) for item in wanted]

    def delete_artifact(self, path: str) -> list[ArtifactRecord]:
        """Delete a file, or a folder with everything below it; returns what is gone.

        The bytes stay in the artifact store until `atelier artifacts gc` finds that nothing refers to them.

        Raises
        ------
        NotFoundError
            If there is nothing under this path.
        """
        target = validate_artifact_path(path)
        gone: list[ArtifactRecord] = []

        def decide(document: RunDocument) -> list[Deletion]:
            require_active(document)
            gone[:] = [item for item in self._folder.load_artifacts() if is_at_or_below(item.path, target)]
            if not gone:
                raise NotFoundError(f"Run {self.id!r} has no artifact {path!r}; see run.artifacts.")
            return [Deletion(target)]

        self._folder.change_artifacts(decide)
        self._workspace.audit.record("run.delete_artifact", self.id, {"path": target, "files": len(gone)})
        return gone

    def _keep(self, records: list[ArtifactRecord]) -> None:
        def decide(document: RunDocument) -> list[ArtifactRecord]:
            require_active(document)
            return records

        self._folder.change_artifacts(decide)


def validate_artifact_path(path: str) -> str:
    """Return an artifact's path in its plain form, or raise InvalidArgumentError if it leads out of the run."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\\" in path or not path.isprintable() or len(path) > 1000:
        raise InvalidArgumentError(
            f"{path[:80]!r} is not a valid artifact path: use a relative path of at most 1,000 characters without '..'."
        )
    return PurePosixPath(path).as_posix()


def make_record(path: str, size: int, sha256: str) -> ArtifactRecord:
    """Return the record of a file that is kept from now on."""
    media_type = mimetypes.guess_type(path)[0] or "application/octet-stream"
    return ArtifactRecord(path, size, sha256, media_type, now())


def _with_suffix(path: str, suffix: str) -> str:
    return path if path.endswith(suffix) else f"{path}{suffix}"
