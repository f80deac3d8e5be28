"""Small campaigns of kills and of many jobs; `make soak` runs the full ones."""

from __future__ import annotations

from tests.jobs.campaigns import kill_around, overlaps, queue_many
from tests.jobs.interruptions import EVERY, interrupt_many


def test_jobs_end_as_they_should_whoever_is_killed(tmp_path):
    report = kill_around(tmp_path, 12, seed=5, seconds=1.0, supervisor_rate=0.9)
    assert report.is_clean, report
    assert report.submitters_killed and report.supervisors_killed


def test_many_jobs_run_once_each_and_never_too_many(tmp_path):
    workspace, strange = queue_many(tmp_path, 25, at_once=4)
    assert strange == []
    assert overlaps(workspace, 4) == 0


def test_interrupted_trainings_give_what_uninterrupted_ones_give(tmp_path):
    report = interrupt_many(tmp_path, 6, seed=4, per_job=3, epochs=8)
    assert report.interruptions >= 6
    assert report.differing == report.wrong == []
    assert max(report.redone) < 2 * EVERY
