"""Cross-modal retrieval: search one modality with another, in new categories too."""

from skda.base import GalleryIndex
from skda.retrieval._acmr import ACMR
from skda.retrieval._cluster_retrieval import ClusterRetrieval
from skda.retrieval._dadn import DADN
from skda.retrieval._dcca import DCCA
from skda.retrieval._dccae import DCCAE
from skda.retrieval._dmtl import DMTL
from skda.retrieval._gmlda import GMLDA
from skda.retrieval._mcca import MCCA
from skda.retrieval._mvda import MvDA
from skda.retrieval._pls import PLS
from skda.retrieval._ridge_cca import RidgeCCA

__all__ = [
    "ACMR",
    "DADN",
    "DCCA",
    "DCCAE",
    "DMTL",
    "GMLDA",
    "MCCA",
    "PLS",
    "ClusterRetrieval",
    "GalleryIndex",
    "MvDA",
    "RidgeCCA",
]
