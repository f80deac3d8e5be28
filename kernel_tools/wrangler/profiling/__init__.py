"""Profiles of columns: exact counts, quantiles, histograms, top values; one column in memory at a time."""

from kernel_tools.wrangler.profiling.column_profile import ColumnProfile, Histogram, Lengths, TextPattern, TopValue
from kernel_tools.wrangler.profiling.profiling import iterate_profiles, profile

__all__ = ["ColumnProfile", "Histogram", "Lengths", "TextPattern", "TopValue", "iterate_profiles", "profile"]
