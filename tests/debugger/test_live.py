"""Rules are evaluated while a training goes on, and what they ask for is done."""

from __future__ import annotations

import http.server
import json
import os
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

import kernel_tools as kt
from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.core.workspace import Workspace
from kernel_tools.debugger import Finding, Mode, Rule, RuleState, SaveConfig, Severity, Trial
from kernel_tools.debugger.actions import Actor, make_actions
from kernel_tools.debugger.evaluation import Evaluator, evaluate_trial
from kernel_tools.debugger.finding import Advice, Findings, RuleStatus, TakenAction, read_findings, write_findings
from tests.debugger.test_store import open_writer, write

FINDING = Finding("Late", Severity.ERROR, 5, "It is late.", advice=(Advice("Hurry", "Time flies", "hurry()"),))


class Late(Rule):
    """The step number is at least `after`."""

    severity = Severity.ERROR

    def __init__(self, *, after: int = 5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.after = after

    def invoke_at_step(self, step: int, trial: Trial) -> Finding | None:
        return self.finding(step, f"Step {step}.", value=step, threshold=self.after) if step >= self.after else None


class Broken(Rule):
    """Never works."""

    def invoke_at_step(self, step: int, trial: Trial) -> bool:
        raise ZeroDivisionError("by zero")


class Elsewhere(Rule):
    """Looks at evaluations."""

    modes = (Mode.EVAL,)

    def why_not(self, trial: Trial) -> str | None:
        return None if "EVAL" in [mode.name for mode in trial.modes()] else "There was no evaluation."

    def invoke_at_step(self, step: int, trial: Trial) -> bool:
        return True


def test_a_finding_that_goes_on_is_one_finding(tmp_path: Path) -> None:
    writer = open_writer(tmp_path)
    for step in range(10):
        write(writer, step)
    report = evaluate_trial(Trial(tmp_path), [Late(after=4)])
    (found,) = report.findings
    assert (found.step, found.last_step, found.count, found.at, found.value) == (4, 9, 6, 1004, 9)
    assert report.rules[0].state is RuleState.FIRING
    assert report.rules[0].parameters == {"after": 4}


def test_the_board_says_why_a_rule_does_not_apply_or_how_it_failed(tmp_path: Path) -> None:
    writer = open_writer(tmp_path)
    write(writer, 0)
    evaluator = Evaluator(Trial(tmp_path), [Late(), Broken(), Elsewhere()])
    evaluator.poll()
    states = {status.rule: (status.state, status.reason) for status in evaluator.report().rules}
    assert states["Late"] == (RuleState.WATCHING, "")
    assert states["Broken"][0] is RuleState.FAILED and "by zero" in states["Broken"][1]
    write(writer, 0, mode=Mode.EVAL)
    evaluator.poll()
    assert {status.rule: status.state for status in evaluator.report().rules}["Elsewhere"] is RuleState.FIRING


def test_a_finding_is_over_when_it_was_not_seen_for_some_steps(tmp_path: Path) -> None:
    class Early(Rule):
        """The first steps."""

        def invoke_at_step(self, step: int, trial: Trial) -> bool:
            return step < 3

    writer = open_writer(tmp_path)
    for step in range(12):
        write(writer, step)
    assert evaluate_trial(Trial(tmp_path), [Early()]).rules[0].state is RuleState.FIRED


def test_findings_survive_their_file(tmp_path: Path) -> None:
    status = RuleStatus("Late", RuleState.FIRING, "", "It is late", parameters={"after": 5}, findings=1)
    taken = TakenAction("Webhook", "Late", "posted", True, 7)
    found = Findings((status,), (FINDING,), 5, 99, True, (taken,))
    write_findings(tmp_path, found)
    assert read_findings(tmp_path) == found
    assert read_findings(tmp_path / "nowhere") == Findings()


def test_rules_fire_in_a_thread_while_the_loop_goes_on_and_stop_it(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(2, 2))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    actions = [kt.debugger.StopTraining(rules=("Late",))]
    hook = kt.debugger.watch(
        model, optimizer, rules=[Late(after=3)], save=SaveConfig(every=1), actions=actions, run=tmp_path
    )
    steps = 0
    with pytest.raises(kt.debugger.TrainingStopped, match="Late fired at step 3"):
        while True:
            functional.mse_loss(model(torch.ones(1, 2)), torch.zeros(1, 2)).backward()
            optimizer.step()
            steps += 1
    assert steps > 3 and not hook.is_attached
    report = read_findings(tmp_path)
    assert report.is_over and report.findings[0].rule == "Late"
    assert [(action.action, action.is_done) for action in report.actions] == [("StopTraining", True)]


class Receiver:
    """A web server that keeps what is posted to it, and a mail server that keeps what is sent."""

    def __init__(self) -> None:
        self.posted: list[dict[str, Any]] = []
        self.mails: list[str] = []
        posted, mails = self.posted, self.mails

        class Posts(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        class Mails(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.wfile.write(b"220 here\r\n")
                while line := self.rfile.readline().strip().upper():
                    if line.startswith(b"DATA"):
                        self.wfile.write(b"354 go on\r\n")
                        content = b""
                        while (part := self.rfile.readline()) != b".\r\n":
                            content += part
                        mails.append(content.decode())
                    self.wfile.write(b"221 bye\r\n" if line.startswith(b"QUIT") else b"250 fine\r\n")
                    if line.startswith(b"QUIT"):
                        return

        self.web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Posts)
        self.mail = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mails)
        for server in (self.web, self.mail):
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    for server in (found.web, found.mail):
        server.shutdown()
        server.server_close()


def test_a_finding_is_posted_mailed_and_given_to_a_function(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "ATELIER_SMTP_URL", f"smtp://127.0.0.1:{receiver.mail.server_address[1]}?from=studio@example.org"
    )
    called: list[Finding] = []
    actor = Actor(
        [
            kt.debugger.Webhook(url=f"http://127.0.0.1:{receiver.web.server_address[1]}/hook"),
            kt.debugger.Email(to="me@example.org"),
            kt.debugger.Call(function=called.append),
            kt.debugger.Notify(rules=("Another",)),
            kt.debugger.SaveCheckpoint(),
        ],
        None,
    )
    actor.act(FINDING)
    actor.close()
    assert receiver.posted[0]["finding"]["rule"] == "Late" and "It is late." in receiver.posted[0]["text"]
    assert "Subject: Late fired at step 5" in receiver.mails[0] and "1. Hurry: Time flies" in receiver.mails[0]
    assert called == [FINDING]
    assert [(action.action, action.is_done) for action in actor.taken] == [
        ("Webhook", True),
        ("Email", True),
        ("Call", True),
        ("SaveCheckpoint", True),
    ]
    assert "no job" in actor.taken[3].result


def test_an_action_that_fails_says_so_and_the_others_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ATELIER_SMTP_URL", raising=False)
    called: list[Finding] = []
    actor = Actor([kt.debugger.Email(to="me@example.org"), kt.debugger.Call(function=called.append)], None)
    actor.act(FINDING)
    actor.close()
    assert [action.is_done for action in actor.taken] == [False, True]
    assert "ATELIER_SMTP_URL" in actor.taken[0].result and called


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: kt.debugger.Webhook(url="file:///etc/passwd"), "http:// or https://"),
        (lambda: kt.debugger.Notify(severity="bad"), "error, warning, hint"),
        (lambda: make_actions([{"action": "Explode"}]), "no action 'Explode'"),
        (lambda: make_actions(["stop"]), "is no action"),
        (lambda: kt.debugger.Call(function=print).to_dict(), "package.module:function"),
    ],
)
def test_actions_that_cannot_be_taken_are_refused(make: Any, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        make()


SCRIPT = """
import os, time, torch
from torch import nn
torch.set_num_threads(1)
model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
optimizer = torch.optim.SGD(model.parameters(), 0.1)
folder = os.environ["ATELIER_ATTEMPT_FOLDER"]
while True:
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(torch.randn(16, 4)) * {factor}, torch.zeros(16).long()).backward()
    optimizer.step()
    time.sleep(0.005)
"""


def test_a_job_is_watched_without_a_change_of_its_code_and_stopped_by_a_rule(
    workspace: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "train.py").write_text(SCRIPT.replace("{factor}", "float('nan')"))
    config = kt.debugger.Config(
        rules=("ExplodingTensor",), actions=(kt.debugger.StopTraining(severity="warning"), kt.debugger.SaveCheckpoint())
    )
    job = kt.jobs.submit("train.py", debugger=config, name="nan", max_runtime=120)
    assert job.wait(150) == "Stopped"
    report = kt.debugger.findings(job)
    assert report.is_over and report.findings[0].rule == "ExplodingTensor"
    assert {action.result for action in report.actions} >= {"stopped the job nan", "asked for a checkpoint"}
    trial = kt.debugger.open(job)
    assert trial.meta("job") == "nan" and trial.meta("framework") == "pytorch"
    again = job.rerun("again", max_runtime=30)
    assert again.spec.debugger == job.spec.debugger
    again.wait(150)


def test_a_job_that_trains_nothing_is_not_disturbed(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text("import json, sys\nprint('torch' in sys.modules)")
    job = kt.jobs.submit("plain.py", debugger=True)
    assert job.wait(120) == "Completed"
    assert "False" in str(job.logs())
    assert kt.debugger.findings(job) == Findings()


def test_a_checkpoint_is_saved_when_it_is_asked_for(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kernel_tools.jobs import checkpointing
    from kernel_tools.jobs.checkpointing.requests import request_checkpoint

    monkeypatch.setenv("ATELIER_ATTEMPT_FOLDER", str(tmp_path))
    model = nn.Linear(2, 2)
    loop = checkpointing.Checkpointer(every="1h", folder=tmp_path / "checkpoints", asynchronous=False, model=model)
    loop.step(1)
    assert not any((tmp_path / "checkpoints").glob("*/*"))
    assert request_checkpoint()
    loop.step(2)
    assert any((tmp_path / "checkpoints").glob("*/*"))
    assert not os.path.exists(tmp_path / "checkpoint-now")


@pytest.mark.parametrize("settings", ["default", {"rules": ["Vanishing"]}, 5])
def test_a_setting_that_cannot_be_used_is_refused_before_the_job_is_there(
    workspace: Workspace, tmp_path: Path, settings: Any
) -> None:
    (tmp_path / "train.py").write_text("")
    with pytest.raises(InvalidArgumentError):
        kt.jobs.submit("train.py", debugger=settings)
    assert kt.jobs.list_jobs()[0] == []
