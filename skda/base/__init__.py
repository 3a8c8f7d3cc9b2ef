"""Base classes of the estimators."""

from skda.base._classifier import BaseDomainClassifier, DomainName, Rows
from skda.base._net_classifier import BaseNetClassifier, Sizes, TargetRisk
from skda.base._two_stream import BaseTwoStreamClassifier

__all__ = [
    "BaseDomainClassifier",
    "BaseNetClassifier",
    "BaseTwoStreamClassifier",
    "DomainName",
    "Rows",
    "Sizes",
    "TargetRisk",
]
