"""Sets of classes that have the true one as often as promised."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from numbers import Integral, Real
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.model_selection import KFold
from sklearn.utils.validation import check_is_fitted

from skda.model_selection._carry_over import carry_over
from skda.model_selection._method_inside import BaseMethodInside
from skda.model_selection._scorers import predict_proba_rows
from skda.utils._sklearn import (
    HasMethods,
    Interval,
    StrOptions,
    fit_context,
    safe_indexing,
)
from skda.utils.labels import UNLABELED, Labels, check_labels
from skda.utils.validation import check_pair
from skda.utils.warnings import warn_user

__all__ = ["AdaptiveSets"]

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

#: What keeps a product of alpha and a whole number from being rounded up.
ROUNDING = 1e-9


class AdaptiveSets(BaseMethodInside):
    r"""Sets of classes, which have the true one with a probability of 1 - alpha.

    A score :math:`s(x, k)` says how ill class :math:`k` conforms to what a method says
    of row :math:`x`. Labeled rows whose label the method has not seen tell which scores
    true classes have, and the set of a new row has all classes that do not conform
    worse than a share :math:`\alpha` of these [1]_,

    .. math::
        \Bigl\{k : 1 + \sum_i [s_i \ge s(x, k)] > \alpha (n + 1)\Bigr\}.

    Where a row is hard, its set is large. Whatever the method and the data, sets have
    the true class with a probability of :math:`1 - \alpha` at least, on average over
    rows, if the labeled rows are drawn like the others.

    **Target rows** are held out in folds, that is, they stay in the fit as unlabeled
    ones, each scored by a model that has not seen its label (``calibration="cross"``).
    One of these models scores new rows: that of all labels is better than those that
    it would be compared with, and its sets larger than need be. The promise holds as
    far as the models of the folds are alike. With "split" the method learns from one
    half of the labels alone, and the other half holds it to its promise without any
    such condition, with larger sets.

    **Source rows** take their place if fewer than :math:`1 / \alpha` target rows are
    labeled. Folds of the source are left out of its fit and carried over to the
    features of the target by ``pairs``, or, where there are none but the features are
    the target's, as they are, which promises nothing: source and target differ.
    Where there is neither, each set has all classes. A fit warns of either.

    Parameters
    ----------
    estimator : estimator object
        Adaptation method with ``predict_proba``. Around a classifier that does not know
        unlabeled rows put :class:`skda.baselines.TargetOnly`.
    alpha : float, default=0.1
        Share of the rows, between 0 and 1, whose sets may lack the true class.
    conformity : {"lac", "aps"}, default="lac"
        Score: "lac" is one minus the probability of the class, and its sets are the
        smallest on average; some may be empty, of rows that are like none. "aps" is the
        sum of the probabilities down to that of the class; its sets follow the
        difficulty of a row more closely, and are larger.
    calibration : {"cross", "split"}, default="cross"
        Whether every labeled row is held out in turn, or one half of them once.
    cv : int, default=10
        Number of folds of "cross", and of the source.

    Attributes
    ----------
    estimator_ : estimator object
        The method, fitted to all labels, or with "split" to one half. What it has
        learned, such as ``classes_``, is to be had under the same name here.
    set_estimator_ : estimator object
        What scores the classes of new rows: the method, fitted without the labels of
        the first fold; with "split" `estimator_`.
    scores_ : ndarray of shape (`n_calibration_`,)
        Scores :math:`s_i` of true classes, sorted.
    calibrated_on_ : {"target", "pairs", "source", "nothing"}
        Where the rows were from.
    n_calibration_ : int
        Number of these rows.

    See Also
    --------
    calibrate : Corrects probabilities, rather than sets.
    cross_val_predict : Predicts rows by models that have not seen their labels.

    Notes
    -----
    It takes ``cv`` fits beside its own.

    Do not use it for rows drawn otherwise than the labeled ones, such as later or
    rarer ones, and not for a promise of each class, which it does not make.

    Rows are held out by fixed seeds.

    References
    ----------
    .. [1] Y. Romano, M. Sesia and E. Candès, "Classification with Valid and Adaptive
       Coverage", NeurIPS 2020. arXiv:2006.02544.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skda.baselines import TargetOnly
    >>> from skda.datasets import make_heterogeneous_domains
    >>> from skda.model_selection import AdaptiveSets
    >>> data = make_heterogeneous_domains(random_state=0)
    >>> y = data.y_true.copy()
    >>> y[100:] = -1  # unlabeled
    >>> sets = AdaptiveSets(TargetOnly(LogisticRegression()), alpha=0.1)
    >>> inside = sets.fit(data.X, y).predict_set(data.X[100:])
    >>> inside.shape
    (200, 4)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [HasMethods(["fit", "predict_proba"])],
        "alpha": [Interval(Real, 0, 1, closed="neither")],
        "conformity": [StrOptions({"lac", "aps"})],
        "calibration": [StrOptions({"cross", "split"})],
        "cv": [Interval(Integral, 2, None, closed="left")],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        alpha: float = 0.1,
        conformity: Literal["lac", "aps"] = "lac",
        calibration: Literal["cross", "split"] = "cross",
        cv: int = 10,
    ) -> None:
        self.estimator = estimator
        self.alpha = alpha
        self.conformity = conformity
        self.calibration = calibration
        self.cv = cv

    # The estimator may itself be a search or a pipeline, which validates its own.
    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        source: tuple[ArrayLike, ArrayLike] | None = None,
        pairs: Any = None,
    ) -> Self:
        """Fit the method, and find how ill held-out rows conform to it.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_target, n_features)
            Target samples.
        y : array-like of shape (n_target,), default=None
            Target labels; -1, None, NaN or pandas.NA where unknown.
        source : tuple (X_source, y_source), default=None
            Source samples and labels, which the method is given if they are not None.
        pairs : tuple or array-like, default=None
            Co-occurring samples, which the method is given if they are not None.

        Returns
        -------
        self : object
            Fitted estimator.
        """
        labels = check_labels(y, X)
        metadata = {"source": source, "pairs": pairs}
        given = {name: value for name, value in metadata.items() if value is not None}
        promised = labels.known.sum() >= self._least()
        if promised and self.calibration == "split":
            self._fit_to_half(X, labels, given)
            return self
        self._fit_to_all(X, y, given)
        found: Iterator[tuple[Any, Array]] = iter(())
        origin = "target"
        if promised or source is None:
            found = self._score_target(X, labels, given)
        else:
            carried, origin = carry_over(source, pairs, X)
            if carried is not None:
                found = self._score_source(X, y, carried, given)
        self._keep(list(found), origin)
        return self

    def predict_set(self, X: ArrayLike) -> NDArray[np.bool_]:
        """Find the classes that samples may belong to.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Target samples.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Whether the set of every sample has each class, in the order of
            ``classes_``.
        """
        check_is_fitted(self)
        scores = self._score_classes(self.set_estimator_, X)
        # Without any rows to compare, nothing is excluded.
        n_worse = self.n_calibration_ - np.searchsorted(self.scores_, scores)
        least = self.alpha * (self.n_calibration_ + 1) + ROUNDING
        return np.asarray(1 + n_worse > least)

    def _least(self) -> int:
        """Count the rows that a promise takes."""
        return int(np.ceil(1 / self.alpha - ROUNDING))

    def _keep(self, scored: list[tuple[Any, Array]], origin: str) -> None:
        """Keep the scores of rows, and the first of the models that they are from."""
        self.set_estimator_ = scored[0][0] if scored else self.estimator_
        parts = [scores for _, scores in scored]
        self.scores_ = np.sort(np.concatenate([np.empty(0), *parts]))
        self.n_calibration_ = len(self.scores_)
        self.calibrated_on_ = origin if self.n_calibration_ else "nothing"
        self._warn_of_no_promise()

    def _warn_of_no_promise(self) -> None:
        share, n, least = 1 - self.alpha, self.n_calibration_, self._least()
        if n < least:
            warn_user(
                f"AdaptiveSets has {n} labeled rows to calibrate sets by, and cannot "
                f"promise {share:.3g} with fewer than {least}: sets have all classes, "
                f"or nearly so. Label more target rows, or raise alpha."
            )
        elif self.calibrated_on_ == "source":
            warn_user(
                f"AdaptiveSets has fewer than {least} labeled target rows and no "
                f"pairs: sets are calibrated on rows of the source as they are, and "
                f"what differs between the domains may break the promise of "
                f"{share:.3g}. Label target rows, or pass pairs."
            )

    def _fit_to_all(self, X: Any, y: Any, given: dict[str, Any]) -> None:
        self.estimator_ = clone(self.estimator).fit(X, y, **given)
        if UNLABELED in self.estimator_.classes_.tolist():
            raise ValueError(
                f"Expected a method that knows unlabeled rows, got "
                f"{self.estimator!r}, for which {UNLABELED} is a class: wrap it in "
                f"skda.baselines.TargetOnly."
            )

    def _fit_to_half(self, X: Any, labels: Labels, given: dict[str, Any]) -> None:
        """Fit to one half of the labels, and score the rows of the other."""
        _, test = _split(len(labels.values), 2)[0]
        self._fit_to_all(X, _hide(labels, test), given)
        rows = np.flatnonzero(labels.known)[test]
        scores = self._score_rows(
            self.estimator_, safe_indexing(X, rows), labels.values[test]
        )
        self._keep([(self.estimator_, scores)], "target")

    def _score_target(
        self, X: Any, labels: Labels, given: dict[str, Any]
    ) -> Iterator[tuple[Any, Array]]:
        """Hide labels of the target in turn, and score their rows."""
        rows = np.flatnonzero(labels.known)
        for _, test in _split(len(labels.values), self.cv):
            model = self._fit_quietly(X, _hide(labels, test), given)
            held_out = safe_indexing(X, rows[test])
            yield model, self._score_rows(model, held_out, labels.values[test])

    def _score_source(
        self, X: Any, y: Any, carried: Array, given: dict[str, Any]
    ) -> Iterator[tuple[Any, Array]]:
        """Leave rows of the source out in turn, and score what they are carried to."""
        X_s, y_s = check_pair(given["source"], "source=(X_source, y_source)")
        labels = check_labels(y_s, X_s)
        rows = np.flatnonzero(labels.known)
        for _, test in _split(len(labels.values), self.cv):
            left = np.delete(np.arange(len(labels.known)), rows[test])
            part = safe_indexing(X_s, left), safe_indexing(y_s, left)
            model = self._fit_quietly(X, y, given | {"source": part})
            scores = self._score_rows(model, carried[rows[test]], labels.values[test])
            yield model, scores

    def _fit_quietly(self, X: Any, y: Any, given: dict[str, Any]) -> Any:
        """Fit to some of the labels; what there is to say, the first fit has said."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return clone(self.estimator).fit(X, y, **given)

    def _score_rows(self, model: Any, X: Any, y: NDArray[Any]) -> Array:
        """Score the true classes of rows whose labels a model has not seen."""
        classes = self.estimator_.classes_
        scores = np.ones(len(y))  # nothing conforms worse than a class unheard of
        (known,) = np.isin(y, classes).nonzero()
        own = np.searchsorted(classes, y[known])
        scores[known] = self._score_classes(model, X)[known, own]
        return scores

    def _score_classes(self, model: Any, X: Any) -> Array:
        """Score how ill every class conforms; a model may not know all of them."""
        found = predict_proba_rows(model, X)
        columns = np.searchsorted(self.estimator_.classes_, model.classes_)
        P = np.zeros((len(found), len(self.estimator_.classes_)))
        P[:, columns] = found
        if self.conformity == "lac":
            return 1 - P
        order = np.argsort(-P, axis=1, kind="stable")
        sums = np.cumsum(np.take_along_axis(P, order, axis=1), axis=1)
        scores = np.empty_like(P)
        np.put_along_axis(scores, order, sums, axis=1)
        return scores


def _split(n_rows: int, n_folds: int) -> list[tuple[Rows, Rows]]:
    """Deal labeled rows out to folds.

    Not class by class: a row that is held out would leave its class as large as ever,
    where a class that chance has made large has more rows to measure by, and is learned
    better. Rows of the labeled kind would seem easier than new ones.
    """
    if n_rows < 2:
        return []
    folds = KFold(min(n_folds, n_rows), shuffle=True, random_state=0)
    return list(folds.split(np.zeros(n_rows)))


def _hide(labels: Labels, test: Rows) -> NDArray[Any]:
    """Hide some of the known labels as well; mark whole numbers by one of them."""
    known = labels.known.copy()
    known[np.flatnonzero(known)[test]] = False
    left = Labels(known, np.delete(labels.values, test))
    if left.values.dtype.kind not in "iu":
        return left.with_gaps()
    marked = np.full(len(known), UNLABELED, dtype=np.int64)
    marked[known] = left.values
    return marked
