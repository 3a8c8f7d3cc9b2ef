"""Base classes of the estimators."""

from skda.base._autoencoder import AutoEncoderObjective
from skda.base._classifier import BaseDomainClassifier
from skda.base._homogeneous import BaseHomogeneousClassifier
from skda.base._index import GalleryIndex
from skda.base._net_classifier import BaseNetClassifier, Sizes, TargetRisk
from skda.base._net_retriever import BaseNetRetriever
from skda.base._one_stream import BaseOneStreamClassifier
from skda.base._one_stream_objective import OneStreamObjective, Pass
from skda.base._opinion import OpinionMixin
from skda.base._paired import BasePairedClassifier, PairedRows
from skda.base._paired_net import BasePairedNetClassifier
from skda.base._retriever import BaseRetriever
from skda.base._rows import DomainName, Rows
from skda.base._scaled import BaseScaledClassifier
from skda.base._sources import BaseSeveralSourcesClassifier
from skda.base._sources_paired import BaseSeveralSourcesPairedClassifier
from skda.base._two_stream import BaseTwoStreamClassifier
from skda.utils.declaration import estimator

__all__ = [
    "AutoEncoderObjective",
    "BaseDomainClassifier",
    "BaseHomogeneousClassifier",
    "BaseNetClassifier",
    "BaseNetRetriever",
    "BaseOneStreamClassifier",
    "BasePairedClassifier",
    "BasePairedNetClassifier",
    "BaseRetriever",
    "BaseScaledClassifier",
    "BaseSeveralSourcesClassifier",
    "BaseSeveralSourcesPairedClassifier",
    "BaseTwoStreamClassifier",
    "DomainName",
    "GalleryIndex",
    "OneStreamObjective",
    "OpinionMixin",
    "PairedRows",
    "Pass",
    "Rows",
    "Sizes",
    "TargetRisk",
    "estimator",
]
