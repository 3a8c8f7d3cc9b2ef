"""Comparisons of methods and of what they learn from: behind the names in skda."""

__all__: list[str] = []
