"""One estimator for whatever there is of a source, of pairs and of labels."""

from skda.auto._auto_adapter import AutoAdapter
from skda.auto._report import Report

__all__ = ["AutoAdapter", "Report"]
