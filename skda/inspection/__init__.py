"""Displays, as in scikit-learn: of comparisons, of a source's worth, of trainings."""

from skda.inspection._comparison import ComparisonDisplay
from skda.inspection._embedding import EmbeddingDisplay
from skda.inspection._retrieval import RetrievalDisplay
from skda.inspection._retrieval_embedding import RetrievalEmbeddingDisplay
from skda.inspection._source_gain import SourceGainDisplay
from skda.inspection._terms import TermsDisplay

__all__ = [
    "ComparisonDisplay",
    "EmbeddingDisplay",
    "RetrievalDisplay",
    "RetrievalEmbeddingDisplay",
    "SourceGainDisplay",
    "TermsDisplay",
]
