"""Run as job over HTTP: the form of a script or notebook, and what is submitted, with real jobs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest

from kernel_tools import jobs
from kernel_tools.core.workspace import Workspace

SCRIPT = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--depth", type=int, default=6, help="How deep")
parser.add_argument("--out", default="done.txt")
arguments = parser.parse_args()
import os
open(arguments.out, "w").write(f"{arguments.depth} {os.listdir(os.environ['SM_CHANNEL_TRAIN'])}")
"""


@pytest.fixture
def root(jp_root_dir: Path) -> Path:
    """The server's root folder, with a script, a notebook and data in a folder."""
    folder = jp_root_dir / "work"
    folder.mkdir()
    (folder / "train.py").write_text(SCRIPT)
    (folder / "rows.csv").write_text("a,b\n1,2\n")
    cell = nbformat.v4.new_code_cell("rate = 0.1  # learning rate", metadata={"tags": ["parameters"]})
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), folder / "report.ipynb")
    return jp_root_dir


class TestForm:
    async def test_a_script_tells_its_parameters(self, call: Any, root: Path, run: Any) -> None:
        form = (await call("GET", "/submissions/form", params={"path": "work/train.py"})).json
        assert (form["kind"], form["suggested_name"], form["experiments"]) == ("script", "train", ["census"])
        assert [(p["name"], p["default"], p["type"]) for p in form["parameters"]] == [
            ("depth", 6, "int"),
            ("out", "done.txt", "str"),
        ]
        assert form["cpus"] >= 1
        assert form["memory"] > 1_000_000
        assert form["time_zone"]

    async def test_a_notebook_tells_its_parameters(self, call: Any, root: Path) -> None:
        form = (await call("GET", "/submissions/form", params={"path": "work/report.ipynb"})).json
        assert (form["kind"], form["has_parameters_cell"]) == ("notebook", True)
        assert form["parameters"][0] == {
            "name": "rate",
            "default": 0.1,
            "type": "float",
            "comment": "learning rate",
            "choices": [],
            "is_required": False,
        }

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("work/gone.py", 404),
            ("../train.py", 400),
            ("/etc/../../etc/hosts.py", 400),
            ("work/rows.csv", 400),
            ("work", 400),
            ("x" * 900 + ".py", 400),
        ],
    )
    async def test_only_scripts_and_notebooks_of_the_server_are_read(
        self, call: Any, root: Path, path: str, status: int
    ) -> None:
        assert (await call("GET", "/submissions/form", params={"path": path})).status == status

    async def test_a_link_out_of_the_root_folder_is_refused(self, call: Any, root: Path, tmp_path: Path) -> None:
        (tmp_path / "secret.py").write_text("")
        (root / "link.py").symlink_to(tmp_path / "secret.py")
        answer = await call("GET", "/submissions/form", params={"path": "link.py"})
        assert answer.error == (400, "InvalidArgumentError")


class TestSubmit:
    async def test_a_job_gets_what_was_asked_for(self, call: Any, root: Path, workspace: Workspace) -> None:
        body = {
            "path": "work/train.py",
            "name": "first",
            "params": {"depth": 3},
            "inputs": {"train": "work/rows.csv"},
            "experiment": "census",
            "cpus": 1,
            "memory": "2GiB",
            "max_runtime": "10min",
            "spot": {"max_wait": "1h"},
            "retries": 2,
            "priority": 5,
        }
        reply = await call("POST", "/submissions", body)
        assert (reply.status, reply.json["job"]["name"], reply.json["schedule"]) == (201, "first", None)
        job = jobs.get("first", workspace=workspace)
        assert job.wait(60) == "Completed", job.logs()
        assert (root / "work" / "done.txt").read_text() == "3 ['rows.csv']", "it runs in the folder of the script"
        spec = job.spec
        assert (spec.resources.cpus, spec.resources.memory) == (1, 2 * 1024**3)
        assert (spec.max_runtime, spec.retries.errors, spec.priority) == (600, 2, 5)
        assert spec.spot is not None
        assert (spec.spot.max_wait, spec.experiment) == (3600, "census")

    async def test_its_folder_comes_along(self, call: Any, root: Path, workspace: Workspace) -> None:
        (root / "work" / "helper.py").write_text("ANSWER = 42")
        (root / "work" / "main.py").write_text("import helper; print(helper.ANSWER)")
        reply = await call("POST", "/submissions", {"path": "work/main.py", "with_folder": True})
        job = jobs.get(reply.json["job"]["name"], workspace=workspace)
        assert (job.wait(60), job.logs().strip()) == ("Completed", "42")

    async def test_a_schedule_is_made_instead(self, call: Any, root: Path, workspace: Workspace) -> None:
        schedule = {"name": "nightly", "cron": "0 3 * * *", "time_zone": "Europe/Berlin", "missed": "skip"}
        body = {"path": "work/report.ipynb", "params": {"rate": 0.5}, "priority": 3, "schedule": schedule}
        reply = await call("POST", "/submissions", body)
        assert (reply.status, reply.json["job"]) == (201, None)
        assert (reply.json["schedule"]["cron"], reply.json["schedule"]["missed"]) == ("0 3 * * *", "skip")
        made = jobs.get_schedule("nightly", workspace=workspace)
        assert (dict(made.spec.params), made.spec.priority) == ({"rate": 0.5}, 3)
        again = await call("POST", "/submissions", body)
        assert again.error == (409, "ConflictError")
        assert again.json["error"]["field"] == "schedule_name"

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"memory": "lots"}, "memory"),
            ({"max_runtime": "soon"}, "max_runtime"),
            ({"spot": {"max_wait": "soon"}}, "max_wait"),
            ({"params": {"--x": 1}}, "params"),
            ({"inputs": {"train": "../up.csv"}}, "inputs"),
            ({"inputs": {"train": "file:///etc/passwd"}}, "inputs"),
            ({"inputs": {"train": "simplecache::file:///etc/passwd"}}, "inputs"),
            ({"name": "../up"}, "name"),
            ({"schedule": {"name": "n", "cron": "often"}}, "cron"),
            ({"schedule": {"name": "n", "every": "often"}}, "every"),
            ({"schedule": {"name": "n", "cron": "0 3 * * *", "time_zone": "Mars/Base"}}, "time_zone"),
            ({"schedule": {"name": "../n", "cron": "0 3 * * *"}}, "schedule_name"),
        ],
    )
    async def test_a_fault_names_its_field(
        self, call: Any, root: Path, workspace: Workspace, change: dict[str, Any], field: str
    ) -> None:
        answer = await call("POST", "/submissions", {"path": "work/train.py"} | change)
        assert answer.error == (400, "InvalidArgumentError")
        assert answer.json["error"]["field"] == field
        assert jobs.list_jobs(workspace=workspace)[0] == []

    async def test_an_input_that_is_not_there_names_its_field(self, call: Any, root: Path) -> None:
        answer = await call("POST", "/submissions", {"path": "work/train.py", "inputs": {"train": "work/gone.csv"}})
        assert answer.error == (404, "NotFoundError")
        assert answer.json["error"]["field"] == "inputs"

    async def test_a_name_that_is_taken_names_its_field(self, call: Any, root: Path, workspace: Workspace) -> None:
        body = {"path": "work/report.ipynb", "name": "one"}
        assert (await call("POST", "/submissions", body)).status == 201
        answer = await call("POST", "/submissions", body)
        assert (answer.error, answer.json["error"]["field"]) == ((409, "ConflictError"), "name")
        jobs.get("one", workspace=workspace).stop()


class TestTimes:
    async def test_the_next_times_are_shown(self, call: Any) -> None:
        reply = (await call("POST", "/submissions/times", {"cron": "0 3 * * *", "time_zone": "UTC"})).json
        assert len(reply["times"]) == 5
        assert {later - earlier for earlier, later in zip(reply["times"], reply["times"][1:], strict=False)} == {
            86_400_000
        }
        assert "UTC" in reply["timing"]

    async def test_intervals_too(self, call: Any) -> None:
        reply = (await call("POST", "/submissions/times", {"every": "6h"})).json
        assert (len(reply["times"]), reply["timing"]) == (5, "Every 6 hours")

    @pytest.mark.parametrize(("body", "field"), [({"cron": "x"}, "cron"), ({"every": "x"}, "every"), ({}, "cron")])
    async def test_what_is_not_understood_names_its_field(self, call: Any, body: Any, field: str) -> None:
        answer = await call("POST", "/submissions/times", body)
        assert (answer.error, answer.json["error"]["field"]) == ((400, "InvalidArgumentError"), field)
