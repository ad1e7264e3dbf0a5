"""Measurements: each case beside its ceiling in the same run, on the same data. `python -m bench --cases a,b`."""
