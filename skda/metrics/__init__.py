"""Metrics of retrieval: labels and embeddings in, a number out."""

from skda.metrics._ranking import average_precisions
from skda.metrics._retrieval import (
    chance_average_precision,
    mean_average_precision_score,
    mean_over_directions,
    recall_at_k_score,
    retrieval_precision_recall_curve,
)
from skda.metrics._scorers import retrieval_scorer

__all__ = [
    "average_precisions",
    "chance_average_precision",
    "mean_average_precision_score",
    "mean_over_directions",
    "recall_at_k_score",
    "retrieval_precision_recall_curve",
    "retrieval_scorer",
]
