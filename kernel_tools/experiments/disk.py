"""What the operating system says about the disk, in sentences with a way out."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kernel_tools.core.errors import UnavailableError

_ADVICE = {
    errno.ENOSPC: "Free some space on that disk; what was kept before is safe.",
    errno.EDQUOT: "Free some of your quota; what was kept before is safe.",
    errno.EFBIG: "The file may not grow any more (see `ulimit -f`); what was kept before is safe.",
    errno.EROFS: "The disk is read-only: choose another workspace with ATELIER_HOME.",
    errno.EACCES: "Ask for the right to write there, or choose another workspace with ATELIER_HOME.",
    errno.EPERM: "Ask for the right to write there, or choose another workspace with ATELIER_HOME.",
}


@contextmanager
def explain_disk_errors(what: str, path: Path) -> Iterator[None]:
    """Turn an error of the disk that happens in the block into an UnavailableError.

    Parameters
    ----------
    what
        What did not happen, such as "The run was not started".
    path
        Where it should have happened.
    """
    try:
        yield
    except OSError as error:
        raise disk_error(what, path, error) from error


def disk_error(what: str, path: Path, error: OSError) -> UnavailableError:
    """Say what did not happen, why, and what to do."""
    advice = _ADVICE.get(error.errno or 0, "Check the disk; `atelier doctor` tests the workspace.")
    return UnavailableError(f"{what}: {error.strerror or error} ({path}). {advice}")
