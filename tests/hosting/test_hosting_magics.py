"""`%deploy` and `%predict`, in IPython's own shell."""

from __future__ import annotations

import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from kernel_tools.core.errors import NotFoundError


@pytest.fixture
def shell(workspace, monkeypatch):
    """Return a shell with the magics, working in the module's workspace."""
    monkeypatch.setenv("ATELIER_HOME", str(workspace.root))
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "kernel_tools")
    yield shell
    InteractiveShell.clear_instance()


def test_a_version_is_deployed_and_asked_by_magics(shell, census):
    shell.user_ns["rows"] = census.X.head(3)
    endpoint = shell.run_line_magic("deploy", "census 1 --name magic")
    try:
        found = shell.run_line_magic("predict", "magic rows --proba")
        assert found["prediction"].tolist() == census.model.predict(census.X.head(3)).tolist()
        assert list(found.columns) == [*census.X.columns, "prediction", "probability_0", "probability_1"]
        assert shell.run_line_magic("deploy", "census --name magic").name == "magic"  # updated in place
        assert endpoint.update_progress.phase == "finished"
        with pytest.raises(UsageError, match="There is no variable 'df'"):
            shell.run_line_magic("predict", "magic df")
        with pytest.raises(NotFoundError, match="no endpoint 'none'"):
            shell.run_line_magic("predict", "none rows")
        with pytest.raises(UsageError, match="%predict"):
            shell.run_line_magic("predict", "magic")
    finally:
        endpoint.delete()
