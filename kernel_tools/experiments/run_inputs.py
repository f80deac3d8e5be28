"""The datasets that a run read: name, digest, schema and role."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.core.workspace import validate_title
from kernel_tools.experiments import catalog
from kernel_tools.experiments.records import DatasetInput
from kernel_tools.experiments.run_base import RunBase, require_active

if TYPE_CHECKING:
    import pandas as pd

MAX_INPUTS = 10_000


class RunInputs(RunBase):
    """The part of a run that knows its data."""

    def log_dataset(
        self, data: pd.DataFrame | str, name: str | None = None, role: str | None = None, digest: str | None = None
    ) -> DatasetInput:
        """Keep which dataset the run read; the data itself is not kept.

        Parameters
        ----------
        data
            A DataFrame (pandas or anything that pandas makes one of), or the path or URL of the data.
        name
            A name for people. Default: ``dataset``, or the last part of the path.
        role
            What the data was for: ``training``, ``validation``, ``test``, ...
        digest
            What tells one version of the data from another. Default: of a table, or of a local file, a digest of the
            content; of anything else one of the path.
        """
        if isinstance(data, str):
            found = _describe_path(data, digest)
            shown = name or data.rstrip("/").rpartition("/")[2] or data
        else:
            found = _describe_table(data, digest)
            shown = name or "dataset"
        item = replace(found, name=validate_title(shown, "dataset name"), context=role)
        self.log_inputs([item])
        return item

    def log_inputs(self, inputs: Sequence[DatasetInput]) -> None:
        """Keep several datasets; one of the same name, digest and role is kept once."""
        for item in inputs:
            validate_title(item.name, "dataset name")
            if not item.digest or len(item.digest) > 100 or not item.digest.isprintable():
                raise InvalidArgumentError(
                    f"{item.digest[:80]!r} is not a valid digest of dataset {item.name!r}: use 1 to 100 characters."
                )
        require_active(self._folder.load())
        if len(inputs) + len(self.inputs) > MAX_INPUTS:
            raise InvalidArgumentError(f"A run keeps at most {MAX_INPUTS:,} datasets. Log their folder as one dataset.")
        self._folder.add_inputs(
            list(inputs), lambda kept: catalog.index_inputs(self._workspace.database, self.id, kept)
        )


def _describe_table(data: Any, digest: str | None) -> DatasetInput:
    import pandas as pd

    frame = data if isinstance(data, pd.DataFrame) else pd.DataFrame(data)
    columns = [{"name": str(name), "type": str(dtype)} for name, dtype in frame.dtypes.items()]
    profile = {"num_rows": len(frame), "num_elements": int(frame.size)}
    return DatasetInput(
        name="",
        digest=digest or _digest_table(frame),
        source_type="code",
        schema=json.dumps({"columns": columns}),
        profile=json.dumps(profile),
    )


def _digest_table(frame: pd.DataFrame) -> str:
    import pandas as pd

    digest = hashlib.sha256(json.dumps([str(name) for name in frame.columns]).encode())
    try:
        digest.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
    except TypeError:  # cells that cannot be hashed, such as lists
        digest.update(pd.util.hash_pandas_object(frame.astype(str), index=False).to_numpy().tobytes())
    return digest.hexdigest()[:16]


def _describe_path(location: str, digest: str | None) -> DatasetInput:
    from pathlib import Path

    path = Path(location)
    is_file = "://" not in location and path.is_file()
    if digest is None and is_file:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()[:16]
    return DatasetInput(
        name="",
        digest=digest or hashlib.sha256(location.encode()).hexdigest()[:16],
        source_type="local" if "://" not in location else location.partition("://")[0],
        source=json.dumps({"uri": str(path.resolve()) if is_file else location}),
    )
