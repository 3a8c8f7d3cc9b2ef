"""Base classes of the estimators."""

from skda.base._classifier import BaseDomainClassifier, DomainName, Rows
from skda.base._net_classifier import BaseNetClassifier, Sizes, TargetRisk

__all__ = [
    "BaseDomainClassifier",
    "BaseNetClassifier",
    "DomainName",
    "Rows",
    "Sizes",
    "TargetRisk",
]
