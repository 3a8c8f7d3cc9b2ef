"""Fitted estimators in formats that other programs read."""

__all__: list[str] = []
