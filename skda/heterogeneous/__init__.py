"""Adaptation between domains that have different features."""

from skda.heterogeneous._geost import GeoST
from skda.heterogeneous._ssan import SSAN
from skda.heterogeneous._stn import STN

__all__ = ["SSAN", "STN", "GeoST"]
