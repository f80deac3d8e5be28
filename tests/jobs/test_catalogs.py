"""The table of jobs, with SQLite and PostgreSQL."""

from __future__ import annotations

import pytest

from kernel_tools import experiments, jobs
from kernel_tools.jobs import catalog
from tests.jobs.conftest import END


@pytest.fixture
def shared(any_workspace, monkeypatch):
    """A workspace that jobs find by their environment, as a server hands it down."""
    monkeypatch.setenv("ATELIER_HOME", str(any_workspace.root))
    if not any_workspace.database.is_sqlite:
        url = any_workspace.database.url.render_as_string(hide_password=False)
        monkeypatch.setenv("ATELIER_DATABASE_URL", url)
    return any_workspace


def test_jobs_are_found_counted_and_rebuilt(shared, script):
    code = """
        import os, sys
        import kernel_tools as kt
        with kt.experiments.start_run("census") as run:
            run.log_metric("auc", 0.5, step=1)
        sys.exit(int(os.environ["SM_HP_CODE"]))
    """
    for number in range(3):
        job = jobs.submit(
            script(code, f"work_{number}.py"), experiment="census", params={"code": number % 2}, workspace=shared
        )
        assert job.wait(END) == ("Failed" if number % 2 else "Completed"), job.logs()
        assert job.metrics()["value"].tolist() == [0.5]
    found, _ = jobs.list_jobs(["Completed"], experiment="census", workspace=shared)
    assert [record.entry for record in found] == ["work_2.py", "work_0.py"]
    first, token = jobs.list_jobs(limit=2, workspace=shared)
    rest, end = jobs.list_jobs(limit=2, page_token=token, workspace=shared)
    assert [record.entry for record in (*first, *rest)] == ["work_2.py", "work_1.py", "work_0.py"] and end is None
    assert [record.entry for record in jobs.list_jobs(text="K_1", workspace=shared)[0]] == ["work_1.py"]
    before = jobs.list_jobs(workspace=shared)[0]
    counts = jobs.count_jobs(workspace=shared)
    assert counts["Completed"] == 2 and counts["Failed"] == 1
    assert catalog.rebuild_jobs(shared) == 3
    assert jobs.list_jobs(workspace=shared)[0] == before and jobs.count_jobs(workspace=shared) == counts
    runs, _ = experiments.search_run_records("census", workspace=shared)
    assert {run.id for run in runs} == {record.run_id for record in before}
    assert {run.status for run in runs} == {"FINISHED"}  # each had ended before its job exited


def test_the_password_of_a_catalog_is_in_no_spec(shared, script, monkeypatch):
    monkeypatch.setenv("ATELIER_ARTIFACT_ROOT", "s3://key:hidden-word@bucket/place")
    job = jobs.submit(script("import os; print(os.environ['ATELIER_ARTIFACT_ROOT'])"), workspace=shared)
    assert job.wait(END) == "Completed" and "hidden-word" in job.logs()
    assert "hidden-word" not in job.spec.to_json().decode()
    assert all(b"hidden-word" not in path.read_bytes() for path in job._folder.path.glob("*") if path.is_file())
