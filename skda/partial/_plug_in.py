"""Estimators that add loss terms to the training of another estimator."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.utils import Tags, get_tags
from sklearn.utils.validation import check_is_fitted
from torch.utils.data import Dataset

from skda.base import BaseOneStreamClassifier, DomainName, estimator
from skda.training import Domains, Phase
from skda.utils._sklearn import (
    BaseEstimator,
    ClassifierMixin,
    ClassNamePrefixFeaturesOutMixin,
    MetaEstimatorMixin,
    TransformerMixin,
)
from skda.utils.ranges import RandomState

__all__ = ["BasePlugIn", "SampleSet"]

SampleSet = ArrayLike | Dataset[Any]


@estimator
class BasePlugIn(
    MetaEstimatorMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    ClassifierMixin,
    BaseEstimator,
):
    """Predict by a backbone, to whose training a subclass adds something.

    Parameters
    ----------
    backbone : estimator object
        Estimator with a network for both domains, whose training is added to.
    random_state : int, RandomState instance or None
        Seed of the initial weights and of the batches; None leaves the backbone its
        own.

    Attributes
    ----------
    backbone_ : estimator object
        The fitted backbone. What it has learned, such as ``classes_``, ``history_`` or
        ``class_weights_``, is to be had under the same name here.
    """

    backbone: Any = field(default=None, kw_only=False)
    random_state: RandomState = None

    __metadata_request__fit: ClassVar[dict[str, bool]] = {"source": True}
    __metadata_request__predict: ClassVar[dict[str, bool]] = {"domain": True}
    __metadata_request__predict_proba: ClassVar[dict[str, bool]] = {"domain": True}
    __metadata_request__transform: ClassVar[dict[str, bool]] = {"domain": True}
    __metadata_request__score: ClassVar[dict[str, bool]] = {"domain": True}

    @abstractmethod
    def make_default_backbone(self) -> BaseOneStreamClassifier:
        """Build the backbone that stands for None."""

    @abstractmethod
    def extend_phases(
        self, module: Any, phases: list[Phase], domains: Domains
    ) -> list[Phase]:
        """Add to the objectives of a training.

        Parameters
        ----------
        module : OneStreamClassifier
            Network of the backbone.
        phases : list of Phase
            The phases of its training.
        domains : Domains
            Every row.

        Returns
        -------
        list of Phase
            The phases to run instead.
        """

    def predict_proba(
        self, X: SampleSet, *, domain: DomainName = "target"
    ) -> NDArray[np.floating]:
        """Estimate class probabilities.

        Parameters
        ----------
        X : array-like, sparse matrix or Dataset of n_samples samples
            Samples, as the backbone takes them.
        domain : {"target", "source"}, default="target"
            Domain they come from.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities, in the order of ``classes_``.
        """
        return self._fitted_backbone().predict_proba(X, domain=domain)

    def predict(self, X: SampleSet, *, domain: DomainName = "target") -> NDArray[Any]:
        """Predict classes.

        Parameters
        ----------
        X : array-like, sparse matrix or Dataset of n_samples samples
            Samples, as the backbone takes them.
        domain : {"target", "source"}, default="target"
            Domain they come from.

        Returns
        -------
        ndarray of shape (n_samples,)
            Predicted labels.
        """
        return self._fitted_backbone().predict(X, domain=domain)

    def transform(
        self, X: SampleSet, *, domain: DomainName = "target"
    ) -> NDArray[np.float32]:
        """Map samples to the features of the backbone.

        Parameters
        ----------
        X : array-like, sparse matrix or Dataset of n_samples samples
            Samples, as the backbone takes them.
        domain : {"target", "source"}, default="target"
            Domain they come from.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            Latent features.
        """
        return self.transform_rows(X, domain)

    def score(
        self,
        X: SampleSet,
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        *,
        domain: DomainName = "target",
    ) -> float:
        """Measure the accuracy of the predictions.

        Parameters
        ----------
        X : array-like, sparse matrix or Dataset of n_samples samples
            Samples, as the backbone takes them.
        y : array-like of shape (n_samples,), default=None
            True labels; a sample whose label is missing does not count. None for the
            labels of a Dataset.
        sample_weight : array-like of shape (n_samples,), default=None
            Sample weights. A pipeline with metadata routing insists on the name.
        domain : {"target", "source"}, default="target"
            Domain they come from.

        Returns
        -------
        float
            Fraction of labeled samples classified correctly.
        """
        return self._fitted_backbone().score(X, y, sample_weight, domain=domain)

    def __getattr__(self, name: str) -> Any:
        """Look up what the backbone has learned, which ends in an underscore."""
        if name.startswith("_") or not name.endswith("_") or name == "backbone_":
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute {name!r}"
            )
        return getattr(self.backbone_, name)

    def __sklearn_tags__(self) -> Tags:
        backbone = self.backbone
        return get_tags(self.make_default_backbone() if backbone is None else backbone)

    def transform_rows(self, X: SampleSet, domain: DomainName) -> NDArray[np.float32]:
        backbone = self._fitted_backbone()
        return backbone.transform_rows(backbone._check_samples(X, domain), domain)

    def _fitted_backbone(self) -> Any:
        check_is_fitted(self)
        return self.backbone_

    def _fit_backbone(self, X: Any, y: Any, source: Any) -> None:
        """Fit the backbone to what :meth:`extend_phases` makes of its objectives."""
        backbone = self._make_backbone()
        with backbone.extended(self.extend_phases):
            backbone.fit(X, y, source=source)
        self.backbone_: Any = backbone
        self._n_features_out = backbone._n_features_out

    def _make_backbone(self) -> Any:
        """Copy the backbone, or go on with the one of the last fit."""
        given = self.make_default_backbone() if self.backbone is None else self.backbone
        trains = isinstance(given, BaseOneStreamClassifier)
        # SourceOnly trains a network, unless it is given a classifier.
        if not trains or getattr(given, "estimator", None) is not None:
            raise TypeError(
                f"{type(self).__name__} expects a backbone that trains one network for "
                f"both domains, to whose objective it can add, got {given!r}: pass an "
                f"estimator of skda.partial or skda.unsupervised that has lr and "
                f"max_epochs, such as BA3US() or DANN()."
            )
        backbone: Any = clone(given)
        before: Any = vars(self).get("backbone_")
        if given.warm_start and type(before) is type(given):
            backbone = before.set_params(**backbone.get_params(deep=False))
        if self.random_state is not None:
            backbone.set_params(random_state=self.random_state)
        return backbone
