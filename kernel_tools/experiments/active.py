"""The active run: the innermost run whose ``with`` block the calling code is in."""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kernel_tools.experiments.run import Run

_ACTIVE: ContextVar[Run | None] = ContextVar("atelier_active_run", default=None)


def active_run() -> Run | None:
    """Return the run of the innermost ``with start_run(...)`` block around the caller, or None.

    A new thread is in no block; asyncio tasks are in the block that they were started in.
    """
    return _ACTIVE.get()


def activate(run: Run) -> Token[Run | None]:
    """Make a run the active one; give the token to `deactivate`."""
    return _ACTIVE.set(run)


def deactivate(token: Token[Run | None]) -> None:
    """Bring back the run that was active before."""
    try:
        _ACTIVE.reset(token)
    except ValueError:  # the block was entered in another context, such as an earlier notebook cell
        _ACTIVE.set(None if token.old_value is Token.MISSING else token.old_value)
