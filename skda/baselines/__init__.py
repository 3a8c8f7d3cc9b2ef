"""Controls that learn from the target alone: what adaptation has to beat."""

from skda.baselines._iterative_label_propagation import IterativeLabelPropagation
from skda.baselines._label_propagation import BalancedLabelPropagation
from skda.baselines._seeded_k_means import SeededKMeans
from skda.baselines._self_training import BalancedSelfTraining
from skda.baselines._sinkhorn_centroids import SinkhornCentroids
from skda.baselines._ssdae import SSDAE
from skda.baselines._target_net import TargetNet
from skda.baselines._target_only import TargetOnly
from skda.baselines._tuned_classifier import TunedClassifier

__all__ = [
    "SSDAE",
    "BalancedLabelPropagation",
    "BalancedSelfTraining",
    "IterativeLabelPropagation",
    "SeededKMeans",
    "SinkhornCentroids",
    "TargetNet",
    "TargetOnly",
    "TunedClassifier",
]
