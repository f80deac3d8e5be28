"""Measurements of Atelier and its peers; `make bench` runs them and writes docs/benchmarks.md."""
