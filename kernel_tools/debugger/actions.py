"""What is done when a rule fires: stop, save a checkpoint, tell somebody, call a function."""

from __future__ import annotations

import json
import os
import queue
import smtplib
import threading
import urllib.request
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

from kernel_tools.core.errors import InvalidArgumentError, UnavailableError
from kernel_tools.debugger.finding import Finding, Severity, TakenAction, now
from kernel_tools.debugger.notices import add_notice
from kernel_tools.jobs.checkpointing.requests import request_checkpoint

if TYPE_CHECKING:
    from kernel_tools.experiments import Run

SMTP_VARIABLE = "ATELIER_SMTP_URL"
"""Where mail is given to: ``smtp://user:password@host:587?from=me@example.org``, or ``smtps://``."""
_ORDER = (Severity.HINT, Severity.WARNING, Severity.ERROR)
_PATIENCE = 10.0


@dataclass(frozen=True, kw_only=True)
class Action:
    """Something to do when a rule fires for the first time on a tensor.

    Parameters
    ----------
    rules
        Names of the rules that it is done for. Default: all.
    severity
        The least severity that it is done for: hint, warning or error.
    """

    rules: tuple[str, ...] = ()
    severity: str = "warning"
    word: ClassVar[str] = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "rules", tuple([self.rules] if isinstance(self.rules, str) else self.rules))
        if self.severity not in list(Severity):
            raise InvalidArgumentError(f"severity={self.severity!r}: use one of {', '.join(Severity)}.")

    def is_for(self, finding: Finding) -> bool:
        """Whether it is done for a finding."""
        is_bad_enough = _ORDER.index(finding.severity) >= _ORDER.index(Severity(self.severity))
        return is_bad_enough and (not self.rules or finding.rule in self.rules)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON types, for the spec of a job."""
        return {"action": type(self).__name__, **asdict(self)}

    def take(self, finding: Finding, run: Run | None) -> str:
        """Do it; returns what was done, in a few words."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class StopTraining(Action):
    """Stop the job; outside of one, end the training loop as Ctrl+C would."""

    severity: str = "error"

    def take(self, finding: Finding, run: Run | None) -> str:
        """Ask the job to stop; a loop outside of jobs is stopped by its hook."""
        name = os.environ.get("ATELIER_JOB")
        if name is None or run is None:
            return "stopped the training"
        from kernel_tools.jobs import get

        get(name, workspace=run._workspace).stop()
        return f"stopped the job {name}"


@dataclass(frozen=True, kw_only=True)
class SaveCheckpoint(Action):
    """Have the job's `Checkpointer` save at the end of the step under way."""

    def take(self, finding: Finding, run: Run | None) -> str:
        """Ask for a checkpoint."""
        return "asked for a checkpoint" if request_checkpoint() else "found no job whose checkpointer could be asked"


@dataclass(frozen=True, kw_only=True)
class Notify(Action):
    """Show a notification on the desktop of whoever has the studio open."""

    def take(self, finding: Finding, run: Run | None) -> str:
        """Leave a notice, which the studio shows."""
        if run is None:
            return "belongs to no run, so that nobody can be told in the studio"
        add_notice(run, finding)
        return "left a notice for the studio"


@dataclass(frozen=True, kw_only=True)
class Webhook(Action):
    """Post the finding as JSON to an address."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        if urlsplit(self.url).scheme not in ("http", "https"):
            raise InvalidArgumentError(f"Webhook(url={self.url!r}): use an http:// or https:// address.")

    def take(self, finding: Finding, run: Run | None) -> str:
        """Post it."""
        content = json.dumps({"text": _sentence(finding, run), "finding": asdict(finding)}, default=str).encode()
        headers = {"Content-Type": "application/json", **self.headers}
        request = urllib.request.Request(self.url, content, headers)  # noqa: S310  # http and https only, see above
        with urllib.request.urlopen(request, timeout=_PATIENCE) as response:  # noqa: S310
            return f"posted to {urlsplit(self.url).hostname} ({response.status})"


@dataclass(frozen=True, kw_only=True)
class Email(Action):
    """Send a mail; the server is named by the environment variable ATELIER_SMTP_URL."""

    to: str | Sequence[str]

    def take(self, finding: Finding, run: Run | None) -> str:
        """Send it."""
        address = os.environ.get(SMTP_VARIABLE)
        if not address:
            raise UnavailableError(
                f"No mail server is known. Set {SMTP_VARIABLE} to smtp://user:password@host:587?from=me@example.org."
            )
        parts = urlsplit(address)
        receivers = [self.to] if isinstance(self.to, str) else list(self.to)
        message = EmailMessage()
        message["Subject"] = f"{finding.rule} fired at step {finding.step}"
        message["To"] = ", ".join(receivers)
        message["From"] = parse_qs(parts.query).get("from", [unquote(parts.username or "") or receivers[0]])[0]
        message.set_content(_sentence(finding, run))
        kind = smtplib.SMTP_SSL if parts.scheme == "smtps" else smtplib.SMTP
        with kind(parts.hostname or "localhost", parts.port or 0, timeout=_PATIENCE) as server:
            if parts.scheme == "smtp" and server.has_extn("starttls"):
                server.starttls()
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
            server.send_message(message)
        return f"sent to {', '.join(receivers)}"


@dataclass(frozen=True, kw_only=True)
class Call(Action):
    """Call a function with the finding: a function of this process, or ``"package.module:function"``."""

    function: Callable[[Finding], Any] | str

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON types; in a job only a function that can be imported is found."""
        if not isinstance(self.function, str):
            raise InvalidArgumentError(
                "Call(function=...) of a job is called by another process: name it as 'package.module:function'."
            )
        return super().to_dict()

    def take(self, finding: Finding, run: Run | None) -> str:
        """Call it."""
        function = self.function
        if isinstance(function, str):
            import importlib

            module, _, name = function.partition(":")
            function = getattr(importlib.import_module(module), name)
        function(finding)
        return "called " + getattr(function, "__name__", repr(function))


ACTIONS: dict[str, type[Action]] = {
    kind.__name__: kind for kind in (StopTraining, SaveCheckpoint, Notify, Webhook, Email, Call)
}


def make_actions(actions: Iterable[Any]) -> list[Action]:
    """Make actions from actions and from what `Action.to_dict` gives; InvalidArgumentError if one is neither."""
    made: list[Action] = []
    for action in actions:
        if isinstance(action, Mapping):
            plain = dict(action)
            name = str(plain.pop("action", ""))
            if name not in ACTIONS:
                raise InvalidArgumentError(f"There is no action {name!r}. There are: {', '.join(ACTIONS)}.")
            action = ACTIONS[name](**plain)
        if not isinstance(action, Action):
            raise InvalidArgumentError(f"{action!r} is no action. There are: {', '.join(ACTIONS)}.")
        made.append(action)
    return made


class Actor:
    """Takes actions in a thread of its own, so that a slow mail server holds up nobody."""

    def __init__(self, actions: Iterable[Any], run: Run | None) -> None:
        self._actions = make_actions(actions)
        self._run = run
        self._queue: queue.Queue[tuple[Action, Finding] | None] = queue.Queue()
        self._thread: threading.Thread | None = None
        self.taken: list[TakenAction] = []
        self.stop_reason: str | None = None

    def act(self, finding: Finding) -> None:
        """Take the actions that are for a finding."""
        for action in self._actions:
            if action.is_for(finding):
                if isinstance(action, StopTraining) and self.stop_reason is None:
                    self.stop_reason = _sentence(finding, self._run)
                self._queue.put((action, finding))
        if not self._queue.empty() and self._thread is None:
            self._thread = threading.Thread(target=self._work, name="atelier-debugger-actions", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Wait for what is under way."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(3 * _PATIENCE)

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            action, finding = item
            try:
                result, is_done = action.take(finding, self._run), True
            except Exception as error:
                result, is_done = f"failed: {type(error).__name__}: {error}", False
            self.taken.append(TakenAction(type(action).__name__, finding.id, result, is_done, now()))


def _sentence(finding: Finding, run: Run | None) -> str:
    where = "" if run is None else f" in the run {run.name} of {run.experiment}"
    lines = [f"{finding.rule} fired at step {finding.step}{where}.", finding.message]
    lines += [f"{number}. {advice.title}: {advice.reason}" for number, advice in enumerate(finding.advice, 1)]
    if run is not None:
        lines.append(run.url)
    return "\n".join(lines)


__all__ = ["ACTIONS", "Action", "Actor", "Call", "Email", "Notify", "SaveCheckpoint", "StopTraining", "Webhook"]
