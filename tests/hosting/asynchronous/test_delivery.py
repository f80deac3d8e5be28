"""Notifications: to a webhook that fails at first, to a file, to the audit log; none is lost."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from kernel_tools.hosting.asynchronous.delivery import MAX_ATTEMPTS, deliver_due
from kernel_tools.hosting.asynchronous.records import Notify


@pytest.fixture
def webhook():
    """A server that answers with the statuses it was given, then with 200."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            server.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            server.ids.append(self.headers["X-Atelier-Message-Id"])
            self.send_response(server.statuses.pop(0) if server.statuses else 200)
            self.send_header("Location", "file:///etc/passwd")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.bodies, server.ids, server.statuses = [], [], []
    server.url = f"http://127.0.0.1:{server.server_port}/hook?key=secret"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def left(bench):
    return bench.queue.metrics(1).undelivered_notifications


def test_a_webhook_that_fails_twice_is_told_in_the_end(bench, webhook):
    webhook.statuses = [500, 302]
    bench.ask(notify=Notify(success=(webhook.url,)))
    bench.complete(bench.queue.claim("a")[0])
    for wait, delivered in ((0, 0), (1, 0), (2, 1)):
        bench.clock.advance(wait)
        assert bench.queue.has_work() and deliver_due(bench.queue) == delivered
    assert len(webhook.bodies) == 3 and len(set(webhook.ids)) == 1 and left(bench) == 0
    message = webhook.bodies[-1]
    assert message["invocationStatus"] == "Completed" and message["eventName"] == "InferenceResult"
    assert message["requestParameters"]["endpointName"] == "census" and message["inferenceId"] == "one"
    assert message["responseParameters"]["contentType"] == "text/plain"
    assert message["responseParameters"]["outputLocation"].endswith("/async/output/one.out")


def test_a_webhook_that_nobody_answers_is_given_up_with_its_error_kept(bench, webhook):
    webhook.shutdown()
    webhook.server_close()
    bench.ask(notify=Notify(success=(webhook.url,)))
    bench.complete(bench.queue.claim("a")[0])
    for _ in range(MAX_ATTEMPTS + 2):
        assert deliver_due(bench.queue) == 0
        bench.clock.advance(1000)
    assert left(bench) == 1 and not bench.queue.has_work()
    with bench.queue.database.read() as connection:
        attempts, error = connection.execute("SELECT attempts, error FROM notifications").fetchone()
    assert attempts == MAX_ATTEMPTS and "refused" in error


def test_a_failure_is_told_to_a_file_and_to_the_audit_log(bench, tmp_path):
    told = tmp_path / "told.jsonl"
    for identifier in ("one", "two"):
        bench.ask(identifier, notify=Notify(error=(told.as_uri(), "event")))
        bench.queue.fail(bench.queue.claim("a")[0], "the reason", is_final=True)
    assert deliver_due(bench.queue) == 4
    first, second = map(json.loads, told.read_text().splitlines())
    assert first["inferenceId"] == "one" and second["failureReason"] == "the reason"
    assert second["responseParameters"]["failureLocation"].endswith("two-error.out")
    record = bench.folder.workspace.audit.records(1)[0]
    assert record.action == "endpoint.async_inference" and record.details["reason"] == "the reason"


def test_a_worker_that_dies_while_it_delivers_loses_no_notification(bench, tmp_path, monkeypatch):
    told = tmp_path / "told"
    bench.ask(notify=Notify(success=(str(told),)))
    bench.complete(bench.queue.claim("a")[0])

    def die(*_):
        raise SystemExit

    monkeypatch.setattr("kernel_tools.hosting.asynchronous.delivery.deliver", die)
    with pytest.raises(SystemExit):
        deliver_due(bench.queue)
    monkeypatch.undo()
    assert deliver_due(bench.queue) == 0
    bench.clock.advance(61)
    assert bench.queue.has_work() and deliver_due(bench.queue) == 1 and told.exists()


def test_the_audit_log_that_is_broken_holds_no_other_notification_up(bench, tmp_path):
    bench.folder.workspace.audit.path.mkdir()
    told = tmp_path / "told"
    bench.ask(notify=Notify(success=("event", str(told))))
    bench.complete(bench.queue.claim("a")[0])
    assert deliver_due(bench.queue) == 1 and told.exists() and left(bench) == 1
