"""A small part of the campaign of planted faults; `benchmarks/debugger_faults.py` runs all of it."""

from __future__ import annotations

import pytest

from tests.debugger.faults.campaign import leave_healthy, plant_all
from tests.debugger.faults.healthy import HEALTHY
from tests.debugger.faults.planted import FAULTS, Fault


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_seen_by_a_rule_that_was_named_before(fault: Fault) -> None:
    (caught,) = plant_all([1], [fault])
    assert caught.seen == 1, f"seeds {caught.missed} were missed"


def test_healthy_trainings_are_left_alone() -> None:
    quiet = leave_healthy(range(len(HEALTHY)))
    assert quiet.alarms == []
