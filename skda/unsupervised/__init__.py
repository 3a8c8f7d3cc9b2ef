"""Methods for a target without labels whose features are those of the source."""

from skda.unsupervised._cdan import CDAN
from skda.unsupervised._dann import DANN
from skda.unsupervised._domain_confusion import DomainConfusion
from skda.unsupervised._label_propagation import CenteredLabelPropagation
from skda.unsupervised._mcc import MCC
from skda.unsupervised._source_only import SourceOnly
from skda.unsupervised._spl import SPL
from skda.unsupervised._symnets import SymNets
from skda.unsupervised._target_centroids import TargetCentroids

__all__ = [
    "CDAN",
    "DANN",
    "MCC",
    "SPL",
    "CenteredLabelPropagation",
    "DomainConfusion",
    "SourceOnly",
    "SymNets",
    "TargetCentroids",
]
