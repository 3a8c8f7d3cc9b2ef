"""Estimators that add loss terms to the training of another estimator."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import field
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.utils import Tags, get_tags
from sklearn.utils.validation import check_is_fitted
from torch import Tensor
from torch.utils.data import Dataset

from skda.base import BaseOneStreamClassifier, DomainName, estimator
from skda.training import Domains, Phase
from skda.utils._sklearn import (
    BaseEstimator,
    ClassifierMixin,
    ClassNamePrefixFeaturesOutMixin,
    MetaEstimatorMixin,
    TransformerMixin,
    fit_context,
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

    def set_fitted_attributes(self, X: SampleSet, source: Any) -> None:
        """Set the fitted attributes of the subclass, after a fit of the backbone.

        Parameters
        ----------
        X : array-like, sparse matrix or Dataset of n_target samples
            Target samples.
        source : tuple (X_source, y_source) or None
            Source samples and their labels.
        """

    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: SampleSet,
        y: ArrayLike | None = None,
        *,
        source: tuple[SampleSet, ArrayLike | None] | None = None,
    ) -> Self:
        """Fit the backbone, and what is added to it, to a target and a labeled source.

        Parameters
        ----------
        X : array-like, sparse matrix or Dataset of n_target samples
            Target samples, as the backbone takes them.
        y : array-like of shape (n_target,), default=None
            Target labels; -1, None, NaN or pandas.NA where unknown. None if all of
            them are.
        source : tuple (X_source, y_source), default=None
            Source samples like the target's, and their labels, of shape (n_source,).
            Without a source, the backbone is fitted alone.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        TypeError
            If the backbone has no objective to add to.
        """
        backbone = self._make_backbone()
        with backbone.extended(self.extend_phases):
            backbone.fit(X, y, source=source)
        self.backbone_: Any = backbone
        self._n_features_out = backbone._n_features_out
        self.set_fitted_attributes(X, source)
        return self

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

    @classmethod
    @abstractmethod
    def default_backbone(cls) -> BaseOneStreamClassifier:
        """Make the backbone that None stands for."""

    def __sklearn_tags__(self) -> Tags:
        backbone = self.backbone
        return get_tags(self.default_backbone() if backbone is None else backbone)

    def transform_rows(self, X: SampleSet, domain: DomainName) -> NDArray[np.float32]:
        backbone = self._fitted_backbone()
        return backbone.transform_rows(backbone._check_samples(X, domain), domain)

    def _fitted_backbone(self) -> Any:
        """Check that there has been a fit, and return its backbone."""
        check_is_fitted(self)
        return self.backbone_

    def _features(self, X: SampleSet, domain: DomainName) -> Tensor:
        """Map samples to features on the device of the network."""
        features = torch.from_numpy(np.asarray(self.transform_rows(X, domain)))
        return features.to(self.backbone_.net_.device)

    def _make_backbone(self) -> Any:
        """Copy the backbone, or go on with the one of the last fit."""
        given = self.default_backbone() if self.backbone is None else self.backbone
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
