"""Benchmarks: scripts that write results/, and report, which tabulates them."""
