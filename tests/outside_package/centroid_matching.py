"""Centroid matching: a method that is no part of skda."""

from torch import Tensor, nn

from skda.base import BaseNetClassifier, Sizes, estimator
from skda.losses import (
    class_centroids,
    cross_entropy,
    paired_centroid_loss,
    pseudo_labels,
)
from skda.modules import TwoStreamClassifier
from skda.training import Batch, Objective
from skda.utils.ranges import Count, NonNegative


class CentroidMatchingObjective(Objective):
    def __init__(self, beta: float) -> None:
        super().__init__()
        self.beta = beta

    def forward(
        self, module: TwoStreamClassifier, batch: Batch, progress: float
    ) -> dict[str, Tensor]:
        (X_s, labels_s, _), (X_t, labels_t, _), _ = batch
        z_s, z_t = module.encode(X_s, "source"), module.encode(X_t, "target")
        v_s, v_t = module.classify(z_s), module.classify(z_t)
        m_s = class_centroids(z_s, labels_s)
        m_t = class_centroids(z_t, labels_t + pseudo_labels(v_t, labels_t))
        return {
            "source_risk": cross_entropy(v_s, labels_s),
            "target_risk": cross_entropy(v_t, labels_t),
            "matching": self.beta * progress * paired_centroid_loss(m_s, m_t),
        }


@estimator
class CentroidMatching(BaseNetClassifier):
    """Match the class centroids of both domains in a common space.

    Parameters
    ----------
    beta
        Weight of the distance of the centroids, at the end of the training.
    n_components
        Dimension of the common space.
    """

    beta: NonNegative = 0.1
    n_components: Count = 64
    lr = 0.01

    def make_module(self, sizes: Sizes) -> nn.Module:
        return TwoStreamClassifier(sizes.widths, self.n_components, sizes.n_classes)

    def make_objective(self) -> Objective:
        return CentroidMatchingObjective(self.beta)
