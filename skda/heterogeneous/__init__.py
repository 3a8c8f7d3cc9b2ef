"""Adaptation between domains that have different features."""

from skda.heterogeneous._arct import ARCT
from skda.heterogeneous._cdls import CDLS
from skda.heterogeneous._cdspp import CDSPP
from skda.heterogeneous._dama import DAMA
from skda.heterogeneous._datn import DATN
from skda.heterogeneous._ddacl import DDACL
from skda.heterogeneous._geost import GeoST
from skda.heterogeneous._gjda import GJDA
from skda.heterogeneous._hfa import HFA
from skda.heterogeneous._hhtl import HHTL
from skda.heterogeneous._jmea import JMEA
from skda.heterogeneous._mmdt import MMDT
from skda.heterogeneous._paired_ridge_transfer import PairedRidgeTransfer
from skda.heterogeneous._sgw_style import SGWStyle
from skda.heterogeneous._shfa import SHFA
from skda.heterogeneous._shfr import SHFR
from skda.heterogeneous._ssan import SSAN
from skda.heterogeneous._stn import STN
from skda.heterogeneous._tnt import TNT
from skda.heterogeneous._tti import TTI
from skda.heterogeneous._wsdtn import WSDTN

__all__ = [
    "ARCT",
    "CDLS",
    "CDSPP",
    "DAMA",
    "DATN",
    "DDACL",
    "GJDA",
    "HFA",
    "HHTL",
    "JMEA",
    "MMDT",
    "SHFA",
    "SHFR",
    "SSAN",
    "STN",
    "TNT",
    "TTI",
    "WSDTN",
    "GeoST",
    "PairedRidgeTransfer",
    "SGWStyle",
]
