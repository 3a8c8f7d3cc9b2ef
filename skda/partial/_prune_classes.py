"""Source classes that the target does not show, left out before any method."""

from __future__ import annotations

import warnings
from dataclasses import field
from math import ceil, prod
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import has_fit_parameter

from skda.base import BaseHomogeneousClassifier, DomainName, Rows, estimator
from skda.preprocessing import RowScaler
from skda.unsupervised import SPL, CenteredLabelPropagation, SourceOnly
from skda.utils._sklearn import HasMethods, MetaEstimatorMixin
from skda.utils.operations import spread_columns
from skda.utils.ranges import RandomState, Share
from skda.utils.warnings import NoSourceWarning

__all__ = ["PruneClasses"]

#: Rounds of leaving out classes that look absent.
MAX_ROUNDS = 6


@estimator
class PruneClasses(MetaEstimatorMixin, BaseHomogeneousClassifier):
    r"""Leave out the source classes that the target does not show, then adapt.

    Four methods label the :math:`n_t` rows of the target: on rows of unit length a
    logistic regression of the source with ``C=10``, :class:`skda.unsupervised.SPL` and
    :class:`skda.unsupervised.CenteredLabelPropagation`, which labels them once more on
    features of one scale. A row belongs to the class that most of them find, and in a
    tie to that of the regression. With :math:`K` classes in the source, a class looks
    absent if fewer than

    .. math:: \theta \, \frac{n_t}{K} \tag{1}

    rows belong to it. No single view of the rows is right on every kind of data, and a
    class is left out only if most of them miss it. The classes that look absent are
    left out, of those that a ``classifier`` misses the rarer half, and the others are
    judged anew, until none looks absent, for at most six rounds. Two classes stay in
    any case, and so does every class that a row of the target is labeled with. Then the
    ``estimator`` is fitted to what is left of the source. It predicts no class that was
    left out, so that methods which expect every class in the target become methods for
    a target that lacks some.

    The steps of a pipeline before this one see the target only: pass
    ``shared_transformer`` instead, here for the classifier and the ``estimator``, or in
    the ``estimator`` to have it fitted to the classes that stay. Rows of features are
    expected, no images. A warning of the ``estimator`` that the data contradict what it
    expects is about the classes that stay. Further fitted attributes are those of
    :class:`skda.base.BaseHomogeneousClassifier`.

    Parameters
    ----------
    estimator : estimator object
        Method of :mod:`skda.unsupervised` or :mod:`skda.partial`; None is ``SPL()``, on
        the features as they are where a ``shared_transformer`` is passed.
    threshold
        Share :math:`\theta` of Equation 1. 0 leaves out no class; 0.2 is safer where
        it is not known whether the target lacks any.
    classifier : estimator object
        Classifier, fitted to the source alone, whose predictions take the place of the
        vote. None is the vote.
    random_state : int, RandomState instance or None
        Seed of the ``estimator``; None leaves it the one that it has.

    Attributes
    ----------
    estimator_ : estimator object
        The fitted method, whose ``classes_`` are the kept ones. It has ``transform`` if
        the method makes features.
    kept_classes_ : ndarray of shape (n_kept_classes,)
        The classes that were not left out.
    class_shares_ : ndarray of shape (n_classes,)
        Share of the target that was predicted to be of every class, in the order of
        ``classes_``, in the last round that the class was there; NaN without a source.

    See Also
    --------
    SHOT : Leaves classes out by a similar rule, as it adapts.

    Notes
    -----
    A class that is in the target, but that the vote does not find there, is lost. So
    look at ``class_shares_``. Where the target has every class, leaving some out
    does harm.

    Centering every domain helps where both have the same classes, and does harm where
    they have not. So it is worth trying in the ``estimator``, which sees the same
    classes in both, but not before it.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.partial import PruneClasses
    >>> X, y = make_blobs(300, n_features=5, centers=4, random_state=0)
    >>> target = y[:150] < 2
    >>> clf = PruneClasses().fit(X[:150][target] + 1.0, source=(X[150:], y[150:]))
    >>> clf.kept_classes_
    array([0, 1])
    >>> clf.predict_proba(X[:1] + 1.0).shape
    (1, 4)
    """

    estimator: Annotated[Any, HasMethods(["fit", "predict_proba"]), None] = field(
        default=None, kw_only=False
    )
    threshold: Share = 0.4
    classifier: Annotated[Any, HasMethods(["fit", "predict"]), None] = None
    random_state: RandomState = None

    target_classes: ClassVar[Literal["all", "subset"]] = "subset"

    def fit_rows(self, source: Rows, target: Rows) -> None:
        kept = np.ones(len(self.classes_), dtype=bool)
        self.class_shares_ = np.full(len(kept), np.nan)
        fit_params = {}
        if len(source.X):
            kept = self._find_present_classes(source, target)
            inside = kept[source.labels.codes(self.classes_)]
            fit_params["source"] = source.X[inside], source.labels.values[inside]
        self.kept_classes_ = self.classes_[kept]
        y = np.full(len(target.X), None)
        y[target.labels.known] = target.labels.values
        estimator = self._make_estimator()
        with warnings.catch_warnings():
            # Both have been said already, of all classes.
            warnings.simplefilter("ignore", NoSourceWarning)
            warnings.filterwarnings("ignore", "No target sample is labeled")
            self.estimator_ = estimator.fit(target.X, y, **fit_params)

    def _find_present_classes(self, source: Rows, target: Rows) -> NDArray[np.bool_]:
        """Find the classes that do not look absent."""
        n_classes, n_target = len(self.classes_), len(target.X)
        codes = source.labels.codes(self.classes_)
        target_codes = target.labels.codes(self.classes_)
        known = target.labels.known
        min_share = self.threshold / n_classes
        kept = np.ones(n_classes, dtype=bool)
        labeled = np.isin(np.arange(n_classes), target_codes)
        for _ in range(MAX_ROUNDS):
            inside = kept[codes]
            found = self._find_labels(source.X[inside], codes[inside], target)
            found = np.where(known, target_codes, found)
            shares = np.bincount(found, minlength=n_classes) / n_target
            self.class_shares_[kept] = shares[kept]
            rare = np.flatnonzero(kept & ~labeled & (shares < min_share))
            rarest = rare[np.argsort(shares[rare], kind="stable")]
            n_rare = len(rare) if self.classifier is None else ceil(len(rare) / 2)
            n_dropped = min(n_rare, kept.sum() - 2)
            if n_dropped < 1:
                break
            kept[rarest[:n_dropped]] = False
        return kept

    def _validate_rows(self, X: Any, domain: DomainName, *, fitting: bool) -> Any:
        """Leave images to the estimator, which knows whether it takes them."""
        if getattr(X, "ndim", 2) <= 2 or self._has_transformer(domain):
            return super()._validate_rows(X, domain, fitting=fitting)
        if fitting:
            owner: Any = self if domain == "target" else self._source_domain
            owner.n_features_in_ = prod(X.shape[1:])
            vars(owner).pop("feature_names_in_", None)  # of an earlier fit
        return X

    def _find_labels(
        self, X_source: NDArray[Any], codes: NDArray[np.int64], target: Rows
    ) -> NDArray[np.int64]:
        """Find the class that every row of the target seems to be of."""
        if self.classifier is not None:
            return clone(self.classifier).fit(X_source, codes).predict(target.X)
        y = target.labels.codes(self.classes_)
        votes = np.zeros((len(target.X), len(self.classes_)))
        for i, method in enumerate(self._make_voters()):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of classes, which is what they find
                method.fit(_flatten(target.X), y, source=(_flatten(X_source), codes))
            weight = 1.0 if i else 1.5  # the first decides where they tie
            votes[np.arange(len(votes)), method.transduction_] += weight
        return votes.argmax(axis=1)

    def _make_voters(self) -> list[BaseHomogeneousClassifier]:
        # Where the user has chosen the scale of the features, it is left alone.
        chosen = self.shared_transformer is not None
        return [
            SourceOnly(
                LogisticRegression(C=10.0, max_iter=1000),
                shared_transformer=RowScaler(1.0),
            ),
            SPL(representation="unit"),
            CenteredLabelPropagation(representation="unit"),
            CenteredLabelPropagation(representation="unit" if chosen else "auto"),
        ]

    def _make_estimator(self) -> Any:
        """Clone the estimator, if it can be told of a source."""
        if self.estimator is None:
            chosen = self.shared_transformer is not None
            estimator: Any = SPL(representation="unit" if chosen else "auto")
        else:
            estimator = clone(self.estimator)
        if not has_fit_parameter(estimator, "source"):
            raise ValueError(
                f"PruneClasses expects an estimator whose fit takes source, got "
                f"{type(estimator).__name__}: pass a method of skda.unsupervised or "
                f"skda.partial; any other classifier goes into SourceOnly."
            )
        if self.random_state is not None:
            names = [p for p in estimator.get_params() if p.endswith("random_state")]
            estimator.set_params(**dict.fromkeys(names, self.random_state))
        return estimator

    def transduce(self, target: Rows) -> NDArray[np.floating]:
        transduction = self.estimator_.transduction_[:, None]
        return (transduction == self.classes_).astype(np.float64)

    def predict_proba_rows(
        self, X: NDArray[Any], domain: DomainName
    ) -> NDArray[np.floating]:
        # An estimator that is no adaptation method knows no domains.
        metadata = {} if domain == "target" else {"domain": domain}
        probabilities = self.estimator_.predict_proba(X, **metadata)
        columns = np.searchsorted(self.classes_, self.estimator_.classes_)
        return spread_columns(probabilities, columns, len(self.classes_))


def _flatten(X: NDArray[Any]) -> NDArray[np.floating]:
    """Take every image as the row of its numbers."""
    return np.asarray(X, dtype=np.float64).reshape(len(X), -1)
