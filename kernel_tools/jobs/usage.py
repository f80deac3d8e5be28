"""Reading what a job has used; written twice a second by its supervisor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kernel_tools.core.errors import IntegrityError
from kernel_tools.jobs.supervision.usage import FIELDS, MAGIC, RECORD

if TYPE_CHECKING:
    import pandas as pd

_TYPES = ("<i8", "<f8", "<i8", "<i8", "<i8", "<i8", "<i8", "<i4", "<f4", "<i8")


def read_usage(path: Path) -> pd.DataFrame:
    """Return the samples of one attempt.

    Returns
    -------
    DataFrame
        timestamp (UTC), cpu (processors in use since the sample before), and the columns of
        `kernel_tools.jobs.supervision.usage.FIELDS`: cpu_seconds, memory, disk_read, disk_written, network_received and
        network_sent (bytes so far, the network's are the machine's), processes, gpu_utilization (percent) and
        gpu_memory.

    Raises
    ------
    IntegrityError
        If the file is none of ours.
    """
    import numpy as np
    import pandas as pd

    content = path.read_bytes() if path.exists() else MAGIC
    if not content.startswith(MAGIC):
        raise IntegrityError(f"{path} does not hold samples of this Atelier's format.")
    whole = (len(content) - len(MAGIC)) // RECORD.size
    kind = np.dtype(list(zip(FIELDS, _TYPES, strict=True)))
    frame = pd.DataFrame(np.frombuffer(content, kind, whole, len(MAGIC)))
    seconds = frame["timestamp"].diff() / 1000
    frame.insert(1, "cpu", (frame["cpu_seconds"].diff() / seconds.where(seconds > 0)).clip(lower=0))
    frame["timestamp"] = pd.to_datetime(frame["timestamp"], unit="ms", utc=True)
    return frame
