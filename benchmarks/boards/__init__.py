"""Boards: every method at its defaults on every kind of data."""
