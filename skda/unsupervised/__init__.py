"""Methods for a target without labels whose features are those of the source."""

from skda.unsupervised._adda import ADDA
from skda.unsupervised._cdan import CDAN
from skda.unsupervised._coral import CORAL
from skda.unsupervised._dan import DAN
from skda.unsupervised._dann import DANN
from skda.unsupervised._deep_coral import DeepCORAL
from skda.unsupervised._domain_confusion import DomainConfusion
from skda.unsupervised._gfk import GFK
from skda.unsupervised._jan import JAN
from skda.unsupervised._jda import JDA
from skda.unsupervised._label_propagation import CenteredLabelPropagation
from skda.unsupervised._linear_ot import LinearOT
from skda.unsupervised._mada import MADA
from skda.unsupervised._mcc import MCC
from skda.unsupervised._mcd import MCD
from skda.unsupervised._mdd import MDD
from skda.unsupervised._ot_classifier import OTClassifier
from skda.unsupervised._prior_transduction import PriorTransduction
from skda.unsupervised._rtn import RTN
from skda.unsupervised._source_only import SourceOnly
from skda.unsupervised._spl import SPL
from skda.unsupervised._subspace_alignment import SubspaceAlignment
from skda.unsupervised._symnets import SymNets
from skda.unsupervised._target_centroids import TargetCentroids
from skda.unsupervised._tca import TCA

__all__ = [
    "ADDA",
    "CDAN",
    "CORAL",
    "DAN",
    "DANN",
    "GFK",
    "JAN",
    "JDA",
    "MADA",
    "MCC",
    "MCD",
    "MDD",
    "RTN",
    "SPL",
    "TCA",
    "CenteredLabelPropagation",
    "DeepCORAL",
    "DomainConfusion",
    "LinearOT",
    "OTClassifier",
    "PriorTransduction",
    "SourceOnly",
    "SubspaceAlignment",
    "SymNets",
    "TargetCentroids",
]
