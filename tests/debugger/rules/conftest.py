"""A recording for every test of a rule."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.debugger.rules.recording import Recording


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[Recording]:
    """Return a recording that holds nothing yet."""
    made = Recording(tmp_path / "debugger")
    yield made
    made.writer.close()
