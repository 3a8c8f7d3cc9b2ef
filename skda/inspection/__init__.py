"""Displays, as in scikit-learn: of comparisons, trainings, topics and more."""

from skda.inspection._class_weights import ClassWeightsDisplay
from skda.inspection._comparison import ComparisonDisplay
from skda.inspection._critical_difference import CriticalDifferenceDisplay
from skda.inspection._embedding import EmbeddingDisplay
from skda.inspection._retrieval import RetrievalDisplay
from skda.inspection._retrieval_embedding import RetrievalEmbeddingDisplay
from skda.inspection._sensitivity import SensitivityDisplay
from skda.inspection._source_gain import SourceGainDisplay
from skda.inspection._terms import TermsDisplay
from skda.inspection._topics import TopicMapDisplay
from skda.inspection._write_report import write_report

__all__ = [
    "ClassWeightsDisplay",
    "ComparisonDisplay",
    "CriticalDifferenceDisplay",
    "EmbeddingDisplay",
    "RetrievalDisplay",
    "RetrievalEmbeddingDisplay",
    "SensitivityDisplay",
    "SourceGainDisplay",
    "TermsDisplay",
    "TopicMapDisplay",
    "write_report",
]
