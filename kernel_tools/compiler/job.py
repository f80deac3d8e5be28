"""Compiling as a job: ``python -m kernel_tools.compiler.job --model M --version V --target T --workspace W``."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kernel_tools import jobs, registry
from kernel_tools.compiler.compiling import compile_model
from kernel_tools.compiler.targets import choose_targets
from kernel_tools.core.errors import InvalidArgumentError, InvalidDataError, NotFoundError
from kernel_tools.core.rows import rows_to_frame
from kernel_tools.core.signature import Signature
from kernel_tools.core.workspace import Workspace
from kernel_tools.registry.version import ModelVersion

ENTRY = "-m kernel_tools.compiler.job"
"""What runs."""
SAMPLE_ROWS = 2000
"""Rows of a file that a package is compared on."""


def compile_as_job(
    version: ModelVersion,
    target: str = "auto",
    sample: str | os.PathLike[str] | None = None,
    *,
    trust: bool = False,
    **options: Any,
) -> jobs.Job:
    """Compile a version in a job; the package stands with the version when it is completed.

    Parameters
    ----------
    version, target, trust
        As for `compile`.
    sample
        A file of rows, of which the first 2,000 are taken: CSV with a header, Parquet, or NPY for arrays. Default: the
        rows that were registered with the version.
    options
        Of `kernel_tools.jobs.submit`: name, resources, ...

    Raises
    ------
    InvalidArgumentError
        If there is no such target, or the version has no rows and no file is given.
    NotFoundError
        If there is no such file.
    """
    choose_targets(target)
    record = version.record
    parameters = {
        "model": record.model,
        "version": record.version,
        "target": target,
        "workspace": version.workspace.root,
    }
    if sample is not None:
        path = Path(sample).expanduser().resolve()
        if not path.is_file():
            raise NotFoundError(f"There is no sample {str(sample)!r}: give a file of CSV, Parquet or NPY.")
        parameters["sample"] = path
    elif record.signature is None or not record.sample:
        raise InvalidArgumentError(
            f"{version!r} was registered without sample_input=: give sample=, a file of rows as the model takes them."
        )
    if trust:
        parameters["trust"] = "yes"
    given = {name: str(value) for name, value in parameters.items()}
    return jobs.submit(ENTRY, params=given, workspace=version.workspace, **options)


def read_sample(path: Path, signature: Signature | None) -> Any:
    """Return the first rows of a file as a model with this signature takes them.

    Raises
    ------
    InvalidDataError
        If the file cannot be read, or values do not fit the signature.
    """
    import numpy as np
    import pandas as pd

    try:
        if path.suffix.lower() == ".npy":
            return np.load(path, allow_pickle=False)[:SAMPLE_ROWS]
        if path.suffix.lower() == ".parquet":
            table = pd.read_parquet(path).head(SAMPLE_ROWS)
        else:
            table = pd.read_csv(path, nrows=SAMPLE_ROWS)
    except (ValueError, OSError) as error:
        raise InvalidDataError(f"The sample {str(path)!r} cannot be read: {str(error)[:300]}") from error
    if signature is None:
        return table
    if signature.tensor is not None:
        return table.to_numpy(dtype=signature.tensor.dtype)
    names = [column.name for column in signature.columns if column.name in table]
    plain = table[names].astype(object)
    return rows_to_frame(signature, plain.where(plain.notna(), None).to_dict("records"))


def main(arguments: Sequence[str] | None = None) -> None:
    """Compile, and say what was chosen."""
    parser = argparse.ArgumentParser(description="Compile a version of a model.")
    for name in ("model", "version", "target", "workspace"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--sample", default="")
    parser.add_argument("--trust", default="")
    given = parser.parse_args(arguments)
    version = registry.get(given.model, int(given.version), workspace=Workspace(Path(given.workspace)))
    sample = read_sample(Path(given.sample), version.record.signature) if given.sample else None
    package = compile_model(version, given.target, sample, trust=given.trust == "yes")
    print(package)


if __name__ == "__main__":
    main()
