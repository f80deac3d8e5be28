"""Updates under load: traffic shifts by the policy, alarms roll back, and no request is lost meanwhile."""

from __future__ import annotations

import http.client
import math
import os
import signal
import threading
from contextlib import contextmanager
from urllib.parse import urlsplit

import msgspec
import pytest

import kernel_tools as kt
from kernel_tools.core.errors import ConflictError, InvalidArgumentError, NotFoundError, UnavailableError
from kernel_tools.hosting import Alarm, EndpointState, ProductionVariant, UpdatePolicy, UpdateProgress, lifecycle
from kernel_tools.hosting.counters import Counters
from kernel_tools.hosting.custom_metrics import MAX_BYTES, MetricValue, last_metrics, put_metric
from kernel_tools.hosting.hosts import ask_host, nudge_host
from tests.hosting.test_life_cycle import wait_for


@pytest.fixture(scope="module")
def versions(workspace, census):
    for _ in range(2):
        kt.registry.register("census", census.model, sample_input=census.X.head(), workspace=workspace).approve()
    return [kt.registry.get("census", number, workspace=workspace).record for number in (1, 2, 3)]


class Load:
    """Requests one after the other over kept connections, as most clients send them."""

    def __init__(self, url, row):
        self.address = urlsplit(url)
        self.body = msgspec.json.encode({"dataframe_records": [row]})
        self.statuses, self.failures, self.variants = [], [], set()
        self.is_over = threading.Event()

    def run(self):
        connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=30)
        while not self.is_over.is_set():
            try:
                connection.request("POST", "/invocations", self.body, {"Content-Type": "application/json"})
                reply = connection.getresponse()
                reply.read()
                self.statuses.append(reply.status)
                self.variants.add(reply.headers["x-amzn-invoked-production-variant"])
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                connection.close()


@contextmanager
def load(endpoint, row):
    constant = Load(endpoint.url, row)
    thread = threading.Thread(target=constant.run)
    thread.start()
    try:
        yield constant
    finally:
        constant.is_over.set()
        thread.join()


@pytest.mark.parametrize("kind", ["all_at_once", "canary", "linear", "rolling"])
def test_an_update_loses_no_request(own_endpoint, versions, census, kind):
    url = own_endpoint.url
    with load(own_endpoint, census.row) as constant:
        own_endpoint.update(2, policy=UpdatePolicy(kind, step_size=0.5, wait_seconds=0.2))
        assert own_endpoint.record.version == 2
    assert constant.failures == [] and set(constant.statuses) == {200}
    assert own_endpoint.url == url and own_endpoint.update_progress.phase == "finished"
    assert own_endpoint.metrics()["Invocations"] > 0


def test_an_update_is_rolled_back_by_hand_while_it_runs_and_afterwards(workspace, own_endpoint, versions, census):
    with pytest.raises(ConflictError, match="has no update to roll back"):
        own_endpoint.rollback()
    first = own_endpoint.record.version
    policy = UpdatePolicy("canary", canary_size=0.5, wait_seconds=3600)
    own_endpoint.update(2, policy=policy, timeout=0)
    wait_for(lambda: own_endpoint.update_progress.phase == "shifting")
    own_endpoint.rollback()
    assert (own_endpoint.update_progress.phase, own_endpoint.record.version) == ("rolled_back", first)
    assert own_endpoint.update_progress.reason == "It was rolled back by hand."
    own_endpoint.update(2)
    assert own_endpoint.record.version == 2
    own_endpoint.rollback()
    assert own_endpoint.record.version == first and own_endpoint.predict(census.row).shape == (1,)
    assert [variant.version.version for variant in own_endpoint.variants] == [first]
    assert sum(own_endpoint.ready_workers().values()) >= 1
    assert own_endpoint.events(2)[0]["phase"] == "finished"


def test_a_version_that_cannot_be_loaded_is_rolled_back(workspace, own_endpoint, versions, census):
    import torch

    kt.registry.register("weightless", {"w": torch.zeros(2)}, workspace=workspace)
    weights = kt.registry.get("weightless", 1, workspace=workspace).record
    with load(own_endpoint, census.row) as constant, pytest.raises(UnavailableError, match=r"rolled back.*no predict"):
        own_endpoint.update(variants=[ProductionVariant("AllTraffic", weights)])
    assert constant.failures == [] and set(constant.statuses) == {200}
    assert own_endpoint.record.version == 3
    own_endpoint.update(1)
    assert own_endpoint.record.version == 1


def test_variants_share_requests_by_weight_and_are_reached_by_name(own_endpoint, versions, census):
    first, second = ProductionVariant("A", versions[0]), ProductionVariant("B", versions[1], weight=3)
    own_endpoint.update(variants=[first, second])
    with load(own_endpoint, census.row) as constant:
        while len(constant.statuses) + len(constant.failures) < 100:
            pass
    assert constant.variants == {"A", "B"} and set(constant.statuses) == {200} and not constant.failures
    address = urlsplit(own_endpoint.url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
    for name in ["A", "B"] * 5:
        headers = {"Content-Type": "application/json", "X-Amzn-SageMaker-Target-Variant": name}
        connection.request("POST", "/invocations", constant.body, headers)
        reply = connection.getresponse()
        reply.read()
        assert (reply.status, reply.headers["x-amzn-invoked-production-variant"]) == (200, name)
    headers["X-Amzn-SageMaker-Target-Variant"] = "C"
    connection.request("POST", "/invocations", constant.body, headers)
    assert connection.getresponse().status == 400
    connection.close()


def test_an_update_goes_on_after_its_host_was_killed(workspace, own_endpoint, versions, census):
    with load(own_endpoint, census.row) as constant:
        own_endpoint.update(2, policy=UpdatePolicy("canary", wait_seconds=1), timeout=0)
        with pytest.raises(ConflictError, match="being updated"):
            own_endpoint.update(3)
        os.kill(ask_host(workspace, "status")["pid"], signal.SIGKILL)
        nudge_host(workspace)
        lifecycle.wait_until_updated(own_endpoint._folder, 2, 60)
    assert constant.failures == [] and set(constant.statuses) == {200}
    assert own_endpoint.record.version == 2


def test_an_alarm_on_a_metric_of_ones_own_rolls_back(own_endpoint, versions):
    before = own_endpoint.record.version
    own_endpoint.put_metric("returned_goods", 0.9)  # before the update: not its fault
    policy = UpdatePolicy("canary", wait_seconds=600, alarms=(Alarm("returned_goods", 0.5),))
    begun = own_endpoint.update(2, policy=policy, timeout=0).update_progress
    own_endpoint.put_metric("returned_goods", 0.4)
    wait_for(lambda: own_endpoint.update_progress.share > 0, 60)
    assert own_endpoint.state is EndpointState.UPDATING
    own_endpoint.put_metric("returned_goods", 0.75)
    with pytest.raises(UnavailableError, match=r"rolled back\. returned_goods is 0\.75, above 0\.5"):
        lifecycle.wait_until_updated(own_endpoint._folder, begun.revision, 60)
    wait_for(lambda: own_endpoint.state is EndpointState.IN_SERVICE)
    assert own_endpoint.record.version == before


def test_metrics_of_ones_own_are_checked_and_their_file_stays_small(tmp_path):
    path = tmp_path / "metrics"
    for name, value in (("a b", 1.0), ("drift", math.nan)):
        with pytest.raises(InvalidArgumentError):
            put_metric(path, MetricValue(1, name, value))
    for number in range(9000):
        put_metric(path, MetricValue(number, f"m{number % 3}", number))
    path.open("ab").write(b'{"time": 9, "na')
    assert last_metrics(path, 0) == {"m0": 8997.0, "m1": 8998.0, "m2": 8999.0}
    assert last_metrics(path, 8999) == {"m2": 8999.0}
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 2 * MAX_BYTES + 100
    with pytest.raises(InvalidArgumentError, match=r"'error_rates' is close to 'error_rate'"):
        Alarm("error_rates", 0.1)


def test_steps_follow_the_policy_and_an_alarm_ends_them():
    policy = UpdatePolicy("linear", step_size=0.4, wait_seconds=1, bake_seconds=2, alarms=(Alarm("error_rate", 0.1),))
    progress, seen = UpdateProgress(1, 2, policy, "starting", 0), []
    for now in range(0, 8000, 500):
        progress = progress.next_step(now, True, Counters())
        if not seen or seen[-1] != (progress.phase, progress.share):
            seen.append((progress.phase, progress.share))
    assert seen == [("shifting", 0.4), ("shifting", 0.8), ("baking", 1.0), ("finished", 1.0)]
    assert (
        UpdatePolicy().watched_seconds == 0 and UpdatePolicy(alarms=(Alarm("error_rate", 0.1),)).watched_seconds == 60
    )
    begun = UpdateProgress(1, 2, policy, "shifting", 0, 0.4)
    bad = Counters(invocations=10, invocation_5xx_errors=2)
    rolled_back = begun.next_step(100, True, bad)
    assert (rolled_back.phase, rolled_back.share, rolled_back.reason) == (
        "rolled_back", 0.0, "error_rate is 0.2, above 0.1."
    )  # fmt: skip
    assert rolled_back.next_step(200, True, Counters()) == rolled_back


def test_a_version_is_tried_beside_the_present_one_and_taken_out(own_endpoint, versions, census):
    with pytest.raises(NotFoundError, match="give its weight= too"):
        own_endpoint.update(2, variant="challenger")
    own_endpoint.update(2, variant="challenger", weight=1)
    assert {item.name: item.version.version for item in own_endpoint.variants} == {"AllTraffic": 3, "challenger": 2}
    with pytest.raises(InvalidArgumentError, match="say with variant="):
        own_endpoint.update(3)
    with load(own_endpoint, census.row) as constant:
        before = own_endpoint.ready_workers()
        own_endpoint.set_weights({"challenger": 0})
        own_endpoint.update(3, variant="challenger")
        assert own_endpoint.ready_workers() == before
        wait_for(lambda: len(constant.statuses) > 50)
    assert constant.failures == [] and set(constant.statuses) == {200}
    assert [item.version.version for item in own_endpoint.variants] == [3, 3]
    assert own_endpoint.variants[1].weight == 0
    own_endpoint.remove_variant("challenger")
    assert [item.name for item in own_endpoint.variants] == ["AllTraffic"]
    with pytest.raises(ConflictError, match="only variant"):
        own_endpoint.remove_variant("AllTraffic")
    with pytest.raises(InvalidArgumentError, match="All weights are 0"):
        own_endpoint.set_weights({"AllTraffic": 0})
    with pytest.raises(NotFoundError, match="has no variant 'b'"):
        own_endpoint.set_weights({"b": 1})


def test_a_rollback_keeps_the_number_of_workers(own_endpoint, versions):
    own_endpoint.update(2).scale(2)
    own_endpoint.rollback()
    assert (own_endpoint.record.version, own_endpoint.variants[0].workers) == (3, 2)
