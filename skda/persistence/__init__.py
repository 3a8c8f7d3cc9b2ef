"""Fitted estimators as files that are data: no pickle, no code."""

from skda.persistence._files import load, save

__all__ = ["load", "save"]
