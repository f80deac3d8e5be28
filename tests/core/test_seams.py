"""Seams: what upper rooms provide is found by name, and imported only when it is asked for."""

from __future__ import annotations

import subprocess
import sys

from kernel_tools.core import seams


def test_a_provider_is_given_as_it_is_or_imported_when_it_is_asked_for():
    seams.provide("test", "here", len)
    seams.provide("test", "there", "fractions:Fraction")
    from fractions import Fraction

    assert seams.providers("test") == {"here": len, "there": Fraction}
    seams.provide("test", "here", max)
    seams.withdraw("test", "there")
    seams.withdraw("test", "absent")
    assert seams.providers("test") == {"here": max}
    seams.withdraw("test", "here")
    assert seams.providers("test") == {}
    assert seams.providers("nobody provides here") == {}


def test_the_registry_finds_hosting_without_importing_it_first():
    text = (
        "import sys, kernel_tools.registry.lineage_graph; from kernel_tools.core import seams; "
        "assert 'kernel_tools.hosting' not in sys.modules; print(*seams.providers('lineage'))"
    )
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["hosting"]
