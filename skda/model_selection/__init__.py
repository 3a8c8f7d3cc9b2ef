"""Model selection where most target labels are missing, without peeking."""

from skda.model_selection._hide_labels import HideLabels
from skda.model_selection._labeled_fold import LabeledFold

__all__ = ["HideLabels", "LabeledFold"]
