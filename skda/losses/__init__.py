"""Loss terms: pure functions of tensors, one equation each."""

from skda.losses.adversarial import (
    classifier_discrepancy,
    confusion_loss,
    domain_loss,
    margin_disparity,
    pooled_domain_loss,
)
from skda.losses.alignment import (
    Centroids,
    class_centroids,
    coral_loss,
    linear_mmd,
    paired_centroid_loss,
    pooled_centroids,
    triplet_centroid_loss,
)
from skda.losses.correlation import (
    CanonicalMaps,
    canonical_correlations,
    canonical_maps,
)
from skda.losses.entropy import (
    certainty_weights,
    class_confusion_loss,
    prediction_entropy,
)
from skda.losses.kernel_discrepancy import (
    classwise_kernel_mmd,
    joint_kernel_mmd,
    kernel_mmd,
    root_kernel_mmd,
)
from skda.losses.pairs import pair_loss, ridge_map
from skda.losses.partial import complement_entropy, weighted_mean
from skda.losses.reconstruction import reconstruction_loss
from skda.losses.regularization import squared_norm
from skda.losses.retrieval import matching_loss, residual_norm
from skda.losses.semantic import pseudo_labels, soft_label_loss
from skda.losses.supervised import cross_entropy
from skda.losses.topics import dense_topic_alignment, gated_topic_alignment

__all__ = [
    "CanonicalMaps",
    "Centroids",
    "canonical_correlations",
    "canonical_maps",
    "certainty_weights",
    "class_centroids",
    "class_confusion_loss",
    "classifier_discrepancy",
    "classwise_kernel_mmd",
    "complement_entropy",
    "confusion_loss",
    "coral_loss",
    "cross_entropy",
    "dense_topic_alignment",
    "domain_loss",
    "gated_topic_alignment",
    "joint_kernel_mmd",
    "kernel_mmd",
    "linear_mmd",
    "margin_disparity",
    "matching_loss",
    "pair_loss",
    "paired_centroid_loss",
    "pooled_centroids",
    "pooled_domain_loss",
    "prediction_entropy",
    "pseudo_labels",
    "reconstruction_loss",
    "residual_norm",
    "ridge_map",
    "root_kernel_mmd",
    "soft_label_loss",
    "squared_norm",
    "triplet_centroid_loss",
    "weighted_mean",
]
