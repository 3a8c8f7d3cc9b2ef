"""Networks and layers, independent of any method."""

from skda.modules.adversary import AdversarialClassifier
from skda.modules.autoencoder import AutoEncoderClassifier, MappedAutoEncoders
from skda.modules.classwise_adversary import ClasswiseAdversarialClassifier
from skda.modules.distributed import DistributedRows
from skda.modules.dropout import ByteDropout, SeededDropout, quicken_dropout
from skda.modules.gradient_reversal import reverse_gradient
from skda.modules.initialization import draw_normal
from skda.modules.multi_view import MultiViewEncoder, multilayer_perceptron
from skda.modules.one_stream import (
    OneStreamClassifier,
    Standardization,
    has_batch_norm,
    row_extractor,
    width_after,
)
from skda.modules.pretrained import efficientnet_lite0, frozen_features
from skda.modules.receptors import Regression, TopicAutoEncoder, TopicReceptors
from skda.modules.rotation import RotatedLinear
from skda.modules.topics import FeatureRecorder, Topics
from skda.modules.two_stream import TwoStreamClassifier, unit_length

__all__ = [
    "AdversarialClassifier",
    "AutoEncoderClassifier",
    "ByteDropout",
    "ClasswiseAdversarialClassifier",
    "DistributedRows",
    "FeatureRecorder",
    "MappedAutoEncoders",
    "MultiViewEncoder",
    "OneStreamClassifier",
    "Regression",
    "RotatedLinear",
    "SeededDropout",
    "Standardization",
    "TopicAutoEncoder",
    "TopicReceptors",
    "Topics",
    "TwoStreamClassifier",
    "draw_normal",
    "efficientnet_lite0",
    "frozen_features",
    "has_batch_norm",
    "multilayer_perceptron",
    "quicken_dropout",
    "reverse_gradient",
    "row_extractor",
    "unit_length",
    "width_after",
]
