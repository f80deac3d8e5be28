"""Planted defects in Adult: a small part of the campaign of ``benchmarks/wrangler_defects.py``."""

from __future__ import annotations

from tests.wrangler.judge.planting import campaign, defects
from tests.wrangler.judge.planting.tables import BASES


def test_planted_defects_are_found_and_little_else(monkeypatch):
    kinds = [
        defects.token,
        defects.sentinel,
        defects.garbage_in_numbers,
        defects.leak,
        defects.spellings,
    ]
    monkeypatch.setattr(campaign, "DEFECTS", [(plant, lambda base: True) for plant in kinds])
    untouched, *tallies = campaign.run([1], [base for base in BASES if base.name == "adult"])
    assert untouched.missed == [] and untouched.alarms == []
    assert [tally.missed for tally in tallies] == [[]] * len(kinds)
    assert [tally.alarms for tally in tallies] == [[]] * len(kinds)
