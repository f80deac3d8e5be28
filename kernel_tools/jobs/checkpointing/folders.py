"""Checkpoints that other libraries write into the job's folder: Hugging Face's and Lightning's."""

from __future__ import annotations

import json
import os
import re
import zipfile
from pathlib import Path

from kernel_tools.core.errors import InvalidArgumentError

_HUGGING_FACE = re.compile(r"checkpoint-(\d+)")


def latest_folder(folder: str | os.PathLike[str] | None = None) -> Path | None:
    """Return the newest whole checkpoint of Hugging Face's ``Trainer`` or of Lightning, None if there is none.

    Give what it returns to ``trainer.train(resume_from_checkpoint=...)`` or ``trainer.fit(..., ckpt_path=...)``, and
    let
    the library write into ``SM_CHECKPOINT_DIR``.

    Parameters
    ----------
    folder
        Where they are. Default: the job's folder for checkpoints.
    """
    place = folder or os.environ.get("SM_CHECKPOINT_DIR")
    if place is None:
        raise InvalidArgumentError("This is no job, which would have a folder for checkpoints: name one with folder=.")
    found = [path for path in Path(place).rglob("*") if _is_whole(path)]
    return max(found, key=lambda path: path.stat().st_mtime_ns, default=None)


def _is_whole(path: Path) -> bool:
    if path.is_dir() and _HUGGING_FACE.fullmatch(path.name):
        try:
            state = json.loads((path / "trainer_state.json").read_bytes())
        except (OSError, ValueError):
            return False
        weights = [*path.glob("*.safetensors"), *path.glob("pytorch_model*.bin")]
        return isinstance(state.get("global_step"), int) and bool(weights)
    return path.is_file() and path.suffix == ".ckpt" and zipfile.is_zipfile(path)
