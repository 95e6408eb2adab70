"""Trivet's benchmarks: `python -m bench`."""
