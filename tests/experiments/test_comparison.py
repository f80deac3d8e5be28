"""Runs side by side: their values, their files, their code and their environments."""

from __future__ import annotations

import math

import pytest

from kernel_tools import experiments
from kernel_tools.experiments.capture.environment import PACKAGES_PATH
from kernel_tools.experiments.capture.source import CELL_PATH, DIFF_PATH, GIT_COMMIT
from kernel_tools.experiments.captured import MAX_DIFF_LINES, MAX_LINES
from kernel_tools.experiments.comparison import compare_artifacts, compare_records


def make_run(workspace, name="run", params=None, tags=None, metrics=None, files=None):
    with experiments.start_run("e", name, params, tags, workspace=workspace) as run:
        run.log_metrics(metrics or {})
        for path, text in (files or {}).items():
            run.log_text(text, path)
    return run


def differences(runs):
    rows = compare_records([run.record for run in runs])
    return {(row.part, row.name): row.values for row in rows if row.is_different}


def test_records_differ_where_a_value_does_or_is_not_there(workspace):
    runs = [
        make_run(workspace, params={"depth": 3, "eta": 0.1}, metrics={"auc": 0.8, "loss": math.nan}),
        make_run(workspace, params={"depth": 6, "eta": 0.1}, metrics={"auc": 0.9, "loss": math.nan}, tags={"a": "b"}),
    ]
    assert differences(runs) == {
        ("params", "depth"): ["3", "6"],
        ("metrics", "auc"): [0.8, 0.9],
        ("tags", "a"): [None, "b"],
    }
    rows = compare_records([run.record for run in runs])
    assert [row.name for row in rows if row.part == "run"] == ["experiment", "status", "user"]


def test_the_table_says_what_the_records_say(workspace):
    runs = [make_run(workspace, "a", {"depth": 3}), make_run(workspace, "b", {"depth": 6}), make_run(workspace, "b")]
    table = experiments.compare_runs(runs)
    assert list(table.columns) == ["a", f"b ({runs[1].id})", f"b ({runs[2].id})"]
    assert table.loc[("param", "depth")].tolist() == ["3", "6", None]
    assert ("run", "status") in experiments.compare_runs(runs, differences_only=False).index


def test_files_of_several_runs_come_first_and_are_told_apart_by_content(workspace):
    runs = [
        make_run(workspace, files={"z.txt": "same", "notes.txt": "one", "alone.txt": "x"}),
        make_run(workspace, files={"z.txt": "same", "notes.txt": "two"}),
    ]
    rows = compare_artifacts(runs)
    assert [(row.path, row.is_equal) for row in rows] == [("notes.txt", False), ("z.txt", True), ("alone.txt", True)]
    assert rows[2].files[1] is None


class TestCode:
    def test_a_cell_is_compared_line_by_line(self, workspace):
        first = make_run(workspace, "a", files={CELL_PATH: "x = 1\ny = 2\n"})
        second = make_run(workspace, "b", files={CELL_PATH: "x = 1\ny = 3\n"})
        (file,) = experiments.compare_code(first, second).files
        assert (file.path, file.present, file.is_different) == (CELL_PATH, (True, True), True)
        assert file.lines == ["--- a", "+++ b", "@@ -1,2 +1,2 @@", " x = 1", "-y = 2", "+y = 3"]

    def test_a_file_that_one_run_lacks_is_all_new(self, workspace):
        code = experiments.compare_code(make_run(workspace), make_run(workspace, files={DIFF_PATH: "+a\n"}))
        (file,) = code.files
        assert (file.present, file.lines[-1]) == ((False, True), "++a")

    def test_an_equal_file_has_no_lines(self, workspace):
        runs = [make_run(workspace, files={CELL_PATH: "x"}) for _ in range(2)]
        (file,) = experiments.compare_code(*runs).files
        assert (file.is_different, file.lines) == (False, [])

    def test_commits_that_differ_come_with_the_command_that_shows_how(self, workspace):
        runs = [make_run(workspace, tags={GIT_COMMIT: commit}) for commit in ("aaa", "bbb")]
        code = experiments.compare_code(*runs)
        assert code.command == "git diff aaa bbb"
        assert [(row.name, row.values, row.is_different) for row in code.facts] == [("commit", ["aaa", "bbb"], True)]
        assert experiments.compare_code(runs[0], runs[0]).command is None

    def test_a_run_that_captured_nothing_is_named(self, workspace):
        known, bare = make_run(workspace, files={CELL_PATH: "x"}), make_run(workspace)
        assert experiments.compare_code(known, bare).uncaptured == [bare.id]

    def test_what_is_too_long_is_said_and_not_cut_in_silence(self, workspace):
        short = make_run(workspace)
        (file,) = experiments.compare_code(short, make_run(workspace, files={CELL_PATH: "x\n" * (MAX_LINES + 1)})).files
        assert file.is_different
        assert "too long" in file.note
        (file,) = experiments.compare_code(short, make_run(workspace, files={CELL_PATH: "x\n" * MAX_LINES})).files
        assert len(file.lines) == MAX_DIFF_LINES
        assert f"{MAX_LINES + 3:,}" in file.note


class TestEnvironments:
    HEAD = "# Python 3.11.9 (CPython)\n# Linux, 2 processors, 8.0 GiB memory\n"

    def test_packages_are_added_removed_and_changed(self, workspace):
        first = make_run(workspace, files={PACKAGES_PATH: f"{self.HEAD}numpy==2.0\nold==1\nsame==1\n"})
        second = make_run(workspace, files={PACKAGES_PATH: f"{self.HEAD}# A100\nnew==1\nnumpy==2.1\nsame==1\n"})
        found = experiments.compare_environments([first, second])
        assert {row.name: row.values for row in found.rows if row.is_different} == {
            "numpy": ["2.0", "2.1"],
            "old": ["1", None],
            "new": [None, "1"],
            "accelerators": [None, "A100"],
        }
        facts = [(row.name, row.values[0]) for row in found.rows if row.part == "environment"]
        assert facts[:2] == [("python", "3.11.9 (CPython)"), ("machine", "Linux, 2 processors, 8.0 GiB memory")]
        assert found.uncaptured == []

    def test_a_run_that_captured_nothing_makes_no_difference(self, workspace):
        known, bare = make_run(workspace, files={PACKAGES_PATH: f"{self.HEAD}numpy==2.0\n"}), make_run(workspace)
        found = experiments.compare_environments([known, bare])
        assert not any(row.is_different for row in found.rows)
        assert found.uncaptured == [bare.id]
        assert experiments.compare_environments([bare]).rows == []

    def test_what_a_run_really_captures_is_read_back(self, workspace, monkeypatch):
        monkeypatch.delenv("ATELIER_CAPTURE_SOURCE")
        run = make_run(workspace)
        rows = {(row.part, row.name): row.values[0] for row in experiments.compare_environments([run]).rows}
        assert ("packages", "pytest") in rows
        assert ("environment", "python") in rows
        assert experiments.compare_code(run, run).uncaptured == []


@pytest.mark.parametrize("count", [0, 1])
def test_a_comparison_of_less_than_two_is_no_error(workspace, count):
    runs = [make_run(workspace) for _ in range(count)]
    assert not any(row.is_different for row in compare_records([run.record for run in runs]))
    assert compare_artifacts(runs) == []
