"""Loss terms: pure functions of tensors, one equation each."""

from skda.losses.adversarial import pooled_domain_loss
from skda.losses.alignment import (
    Centroids,
    class_centroids,
    linear_mmd,
    paired_centroid_loss,
    pooled_centroids,
    triplet_centroid_loss,
)
from skda.losses.regularization import squared_norm
from skda.losses.semantic import pseudo_labels, soft_label_loss
from skda.losses.supervised import cross_entropy

__all__ = [
    "Centroids",
    "class_centroids",
    "cross_entropy",
    "linear_mmd",
    "paired_centroid_loss",
    "pooled_centroids",
    "pooled_domain_loss",
    "pseudo_labels",
    "soft_label_loss",
    "squared_norm",
    "triplet_centroid_loss",
]
