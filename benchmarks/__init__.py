"""Measurements: python -m benchmarks.NAME prints JSON."""
