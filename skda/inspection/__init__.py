"""Displays, as in scikit-learn: what a source is worth, how a network was trained."""

from skda.inspection._embedding import EmbeddingDisplay
from skda.inspection._source_gain import SourceGainDisplay
from skda.inspection._terms import TermsDisplay

__all__ = ["EmbeddingDisplay", "SourceGainDisplay", "TermsDisplay"]
