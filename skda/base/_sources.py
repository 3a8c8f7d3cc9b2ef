"""Classifiers that learn from several sources, each with features of its own."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.utils.multiclass import unique_labels

from skda.base._classifier import BaseDomainClassifier, DomainName
from skda.base._source_evidence import (
    Evidence,
    Opinion,
    by_agreement,
    by_geometry,
    by_labels,
    choose,
    join,
    weigh,
)
from skda.base._source_list import Given, list_sources
from skda.preprocessing import RowScaler
from skda.utils._sklearn import HasMethods, fit_context, remove_fitted_attributes
from skda.utils.declaration import estimator
from skda.utils.labels import Labels, check_labels, warn_about_missing_classes
from skda.utils.operations import normalize, spread_columns
from skda.utils.warnings import NoSourceWarning, warn_user

__all__ = ["BaseSeveralSourcesClassifier"]

Array = NDArray[np.float64]
SourceTransformers = Annotated[
    Any, HasMethods(["fit_transform", "transform"]), list, None
]

#: Warnings of the fits with one source, which is what all of them together are not.
_OF_ONE = ("No (source|target) sample is labeled", "AutoAdapter expects")


class Voter(NamedTuple):
    """A fit that has a say.

    Parameters
    ----------
    estimator : estimator
        It was fitted with one source, with several, or with none.
    weight : float
        Its weight.
    """

    estimator: Any
    weight: float


@estimator
class BaseSeveralSourcesClassifier(BaseDomainClassifier):
    """Classify a target domain with the help of one source or of several.

    With a list of sources, a clone is fitted with each of them, and those of use vote.
    A source is of use if it is better than itself with its classes renamed:

    * where it names target rows by itself, on the labels there are, which that fit has
      not seen, by more than one standard error of the mean log-probability;
    * where it only tells which classes are alike, in the correlation with what the
      target says of that, by more than two standard deviations over renamings;
    * without labels, in its agreement with the mean of the other sources, by as much.

    Where too few classes leave nothing to judge by, all sources are used. Without one
    of use, the labeled target rows are.

    Parameters
    ----------
    source_transformer : transformer, or list of transformers
        Cloned, fitted on the samples of the source and applied to them ever after;
        with several sources a clone for each, or, of a list, the one in its place.

    Attributes
    ----------
    n_features_in_source_ : int, list of int or None
        Number of source features, or those of every source; None without a source.
    source_weights_ : ndarray of shape (n_sources,) or None
        Weights of the sources, 0 for those that are left out; None without a source.
    source_evidence_ : list of dict
        For every source: whether it is "used", its "gain" over its renamed self, the
        "least" gain that speaks for it, and what it was "judged_by". Only there with
        several sources, as is `source_estimators_`.
    source_estimators_ : list of estimators
        The fit with each source, whose attributes tell more.
    """

    source_transformer: SourceTransformers = None

    #: Whether ``source`` may be a list.
    takes_several_sources: ClassVar[bool] = True

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        source: Any = None,
    ) -> Self:
        """Fit to a partially labeled target and one labeled source or several.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_target, n_features)
            Target samples.
        y : array-like of shape (n_target,), default=None
            Target labels; -1, None, NaN or pandas.NA where unknown. None if all of
            them are, in which case ``source`` is required, and a method that cannot
            do without any says so.
        source : tuple (X_source, y_source) or list of such tuples, default=None
            Source samples, of shape (n_source, n_source_features), and their labels,
            of shape (n_source,). In a list, every source may have features and classes
            of its own. None trains on the labeled target samples alone.

        Returns
        -------
        self : object
            Fitted estimator.
        """
        if not isinstance(source, list):
            return self._remember_one(super().fit(X, y, source=source), source)
        given = list_sources(source, None, self.source_transformer, X)
        if len(given) == 1:
            return self._remember_one(super().fit(X, y, source=source[0]), source)
        return self._fit_several(X, y, given)

    def predict_proba(
        self, X: ArrayLike, *, domain: DomainName = "target"
    ) -> NDArray[np.floating]:
        """Estimate class probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.
        domain : {"target", "source"}, default="target"
            Domain they come from; with several sources the target alone.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities, in the order of ``classes_``.
        """
        if not hasattr(self, "source_estimators_"):
            return super().predict_proba(X, domain=domain)
        self._check_domain(domain)
        return self._vote([each.predict_proba(X) for each, _ in self._voters])

    def _check_domain(self, domain: Any) -> None:
        """Refuse rows of a source, of which nobody says which one it is."""
        if domain == "source":
            raise ValueError(
                f"This {type(self).__name__} was fitted with "
                f"{len(self.source_estimators_)} sources, and cannot tell which one "
                f"domain='source' means: ask source_estimators_[0], or another."
            )
        if domain != "target":
            raise ValueError(f"domain must be 'target' or 'source', got {domain!r}.")

    def _remember_one(self, fitted: Self, source: Any) -> Self:
        """Give the weight of a single source."""
        for name in ("source_estimators_", "source_evidence_", "_voters", "_alone"):
            self.__dict__.pop(name, None)
        self.source_weights_: Any = None if source is None else np.ones(1)
        return fitted

    def _fit_several(self, X: Any, y: Any, given: list[Given]) -> Self:
        """Fit with each source, judge them, and let those of use vote."""
        remove_fitted_attributes(self)
        target = self._check_target(X, y)
        labels = self._check_classes(given, target)
        self.source_estimators_ = [self._fit_one(X, y, each) for each in given]
        self.classes_ = unique_labels(
            *(each.classes_ for each in self.source_estimators_)
        )
        everything = Labels(*map(np.concatenate, zip(*labels, strict=True)))
        warn_about_missing_classes(self.classes_, source=everything, target=target)
        self.n_features_in_source_: Any = [
            each.n_features_in_source_ for each in self.source_estimators_
        ]
        evidence = self._judge(X, given, target)
        self.source_evidence_ = [each.as_dict() for each in evidence]
        self.source_weights_ = weigh(evidence)
        self._voters = self._choose_voters(X, target)
        probabilities = self._vote([self._says(each, X) for each, _ in self._voters])
        belief = 2 * target.memberships(self.classes_) + probabilities
        self.transduction_ = self.classes_[belief.argmax(axis=1)]
        self._conclude(given, target, probabilities)
        return self

    def _check_target(self, X: Any, y: Any) -> Labels:
        """Check the target before any source, so that errors tell them apart."""
        self.source_transformer_ = None
        self.target_transformer_ = clone(self.target_transformer, safe=False)
        return check_labels(y, self._validate_rows(X, "target", fitting=True))

    def _check_classes(self, given: list[Given], target: Labels) -> list[Labels]:
        """Refuse a source none of whose classes any other labels could speak of."""
        labels = []
        for each in given:
            with each.named():
                labels.append(check_labels(each.source[1], each.source[0]))
        values = [set(found.values.tolist()) for found in labels]
        for place, own in enumerate(values):
            others = [set(target.values.tolist())]
            where = "labeled target rows"
            if not target.known.any():
                others = [each for i, each in enumerate(values) if i != place]
                where = "other sources, and no target row is labeled"
            if not own & set().union(*others):
                raise ValueError(
                    f"Expected every source to share classes with the {where}; the "
                    f"classes of source[{place}], {sorted(map(str, own))}, are none of "
                    f"{sorted(map(str, set().union(*others)))}: leave it out, or give "
                    f"its classes the same names."
                )
        return labels

    def _fit_one(self, X: Any, y: Any, given: Given) -> Any:
        """Fit a clone with one source."""
        part = clone(self).set_params(source_transformer=given.transformer)
        pairs = {} if given.pairs is None else {"pairs": given.pairs}
        with given.named(), warnings.catch_warnings():
            for message in _OF_ONE:
                warnings.filterwarnings("ignore", message=message)
            return part.fit(X, y, source=given.source, **pairs)

    def _judge(self, X: Any, given: list[Given], target: Labels) -> list[Evidence]:
        """Collect evidence on every source."""
        parts = self.source_estimators_
        if target.known.any():
            with _quiet():
                return [
                    self._judge_by_labels(part, X, each, target)
                    for part, each in zip(parts, given, strict=True)
                ]
        opinions = [self._opinion(part, self._says(part, X)) for part in parts]
        closeness = [self._closeness(part) for part in parts]
        return choose(by_agreement(opinions), closeness)

    def _judge_by_labels(
        self, part: Any, X: Any, given: Given, target: Labels
    ) -> Evidence:
        """Collect evidence on a source where target rows are labeled."""
        classes = np.unique(given.labels().values)
        opinion = self._unlabeled_opinion(part, X, given)
        if opinion is not None:
            labeled = opinion.probabilities[target.known]
            own = Opinion(labeled, np.isin(self.classes_, classes))
            return by_labels(own, target.codes(self.classes_)[target.known])
        of_source = np.zeros((len(self.classes_), len(self.classes_)))
        knows = np.isin(self.classes_, part.classes_)
        of_source[np.ix_(knows, knows)] = self._geometry_of_source(part)
        common = np.isin(self.classes_, np.intersect1d(classes, target.values))
        return by_geometry(of_source, self._geometry_of_target(X, target), common)

    def _unlabeled_opinion(self, part: Any, X: Any, given: Given) -> Opinion | None:
        """Say what a source says of the target without its labels, if it can."""
        return None

    def _closeness(self, part: Any) -> float:
        """Say how close the source of a fit is to the target."""
        return 0.0

    def _geometry_of_source(self, part: Any) -> Array:
        """Tell which classes are alike in the source of a fit, by any measure."""
        raise NotImplementedError

    def _without_source(self, X: Any, target: Labels) -> Any:
        """Fit a clone to the target alone, once."""
        if not hasattr(self, "_alone"):
            alone = clone(self).set_params(source_transformer=None)
            with _quiet():
                self._alone = alone.fit(X, target.with_gaps())
        return self._alone

    def _geometry_of_target(self, X: Any, target: Labels) -> Array:
        """Tell which classes are alike in the target, by a fit without a source."""
        alone = self._without_source(X, target)
        rows = RowScaler("auto").fit_transform(alone._prepare_rows(X, "target"))
        Q, _ = self._opinion(alone, self._says(alone, X))
        counts = Q.sum(axis=0)[:, None]
        means = Q.T @ rows / np.where(counts > 0, counts, 1.0)
        centered = means - means.sum(axis=0) / np.count_nonzero(counts)
        M = normalize(np.where(counts > 0, centered, 0.0))
        return np.asarray(M @ M.T)

    def _choose_voters(self, X: Any, target: Labels) -> list[Voter]:
        """List the fits that have a say: without a source, if none is of use."""
        used = [
            Voter(part, float(weight))
            for part, weight in zip(
                self.source_estimators_, self.source_weights_, strict=True
            )
            if weight
        ]
        if used:
            return used
        n_sources = len(self.source_weights_)
        warn_user(
            f"{type(self).__name__} uses none of {n_sources} sources: none is better "
            f"than with its classes renamed. It learns from the labeled target rows."
        )
        return [Voter(self._without_source(X, target), 1.0)]

    def _says(self, fitted: Any, X: Any) -> Array:
        """Give the probabilities of the rows of a fit."""
        said = getattr(fitted, "label_distributions_", None)
        return np.asarray(fitted.predict_proba(X) if said is None else said)

    def _opinion(self, part: Any, said: Any) -> Opinion:
        """Put what a fit says into columns of all classes."""
        knows = np.isin(self.classes_, part.classes_)
        P = spread_columns(said, np.flatnonzero(knows), len(knows))
        return Opinion(P, knows)

    def _vote(self, said: list[Array]) -> Array:
        """Average what the voters say."""
        pairs = zip(self._voters, said, strict=True)
        opinions = [self._opinion(voter.estimator, P) for voter, P in pairs]
        return join(opinions, np.array([weight for _, weight in self._voters]))

    def _conclude(
        self, given: list[Given], target: Labels, probabilities: Array
    ) -> None:
        """Say more of a fit with several sources."""


@contextmanager
def _quiet() -> Iterator[None]:
    """Say nothing of fits that only serve to judge, or that have been announced."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("ignore", NoSourceWarning)
        yield
