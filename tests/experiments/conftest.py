"""What the tests of experiments share."""

import pytest


@pytest.fixture(autouse=True)
def _capture_where_it_is_tested(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tests of capture see what a run keeps of its source and environment."""
    if request.path.name.startswith("test_capture"):
        monkeypatch.delenv("ATELIER_CAPTURE_SOURCE")
