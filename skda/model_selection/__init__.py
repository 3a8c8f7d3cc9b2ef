"""Model selection where most target labels are missing, without peeking."""

from skda.model_selection._adaptive_sets import AdaptiveSets
from skda.model_selection._batched_search import BatchedSearchCV
from skda.model_selection._calibrate import calibrate
from skda.model_selection._cross_val_predict import cross_val_predict
from skda.model_selection._hide_labels import HideLabels
from skda.model_selection._labeled_fold import LabeledFold
from skda.model_selection._scorers import (
    information_maximization_scorer,
    prediction_entropy_scorer,
    soft_neighborhood_density_scorer,
)

__all__ = [
    "AdaptiveSets",
    "BatchedSearchCV",
    "HideLabels",
    "LabeledFold",
    "calibrate",
    "cross_val_predict",
    "information_maximization_scorer",
    "prediction_entropy_scorer",
    "soft_neighborhood_density_scorer",
]
