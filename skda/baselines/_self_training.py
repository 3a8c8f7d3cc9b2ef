"""Self-training that promotes the same share of every class."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.svm import LinearSVC

from skda.base import DomainName, Rows, estimator
from skda.baselines._control import TargetControl
from skda.utils._sklearn import HasMethods, MetaEstimatorMixin
from skda.utils.labels import UNLABELED
from skda.utils.promotion import most_certain
from skda.utils.ranges import Count, PositiveShare
from skda.utils.validation import check_magnitude

__all__ = ["BalancedSelfTraining"]


@estimator
class BalancedSelfTraining(MetaEstimatorMixin, TargetControl):
    r"""Any classifier, fitted again to its own most certain predictions of each class.

    The classifier is fitted to the labeled rows. Then, for :math:`r = 1, \dots, R`, it
    scores all unlabeled rows; of those predicted to be of class :math:`k`, the share
    :math:`\rho r / R` with the widest margin between the best and the second best score
    is promoted, with :math:`k` for a label; and a fresh classifier is fitted to the
    labeled and the promoted rows. Every round promotes anew, so a mistake need not
    last; and as it takes the same share of every class, one with wide margins does not
    crowd out the others. A ``source`` is accepted and ignored.

    Parameters
    ----------
    estimator : estimator object
        Classifier with ``predict_proba`` or ``decision_function``, which is fitted to
        labels encoded as 0 to n_classes - 1. None is ``LinearSVC(random_state=0)``.
    n_rounds
        Number of rounds :math:`R`.
    share
        Share :math:`\rho` of the unlabeled rows that the last round promotes.

    Attributes
    ----------
    estimator_ : estimator object
        The classifier of the last round.

    See Also
    --------
    IterativeLabelPropagation : Promotes in the same way the labels of a graph.
    sklearn.semi_supervised.SelfTrainingClassifier : Promotes all that is above a
        threshold, for :class:`TargetOnly`.

    Notes
    -----
    Probabilities are those of the classifier, or the softmax of its decision function,
    which is not calibrated. With a single class there is nothing to learn, and
    ``estimator_`` is a :class:`~sklearn.dummy.DummyClassifier`.

    Examples
    --------
    >>> from skda.baselines import BalancedSelfTraining
    >>> from skda.datasets import label_few, load_digits_domains
    >>> digits = load_digits_domains()
    >>> y = label_few(digits.y, 3, random_state=0)
    >>> clf = BalancedSelfTraining().fit(digits.X, y)
    >>> bool((clf.transduction_ == digits.y).mean() > 0.8)
    True
    """

    estimator: Annotated[
        Any,
        HasMethods(["fit", "predict_proba"]),
        HasMethods(["fit", "decision_function"]),
        None,
    ] = field(default=None, kw_only=False)
    n_rounds: Count = 3
    share: PositiveShare = 0.8

    def fit_rows(self, source: Rows, target: Rows) -> None:
        codes = target.labels.codes(self.classes_)
        hidden = ~target.labels.known
        self._fit_estimator(target.X, codes)
        if not hidden.any():
            return
        for r in range(1, self.n_rounds + 1):
            scores = self._scores(target.X[hidden])
            codes[hidden] = most_certain(scores, self.share * r / self.n_rounds)
            self._fit_estimator(target.X, codes)

    def _fit_estimator(self, X: NDArray[Any], codes: NDArray[np.int64]) -> None:
        """Fit a new classifier to the rows that are labeled or promoted."""
        estimator = LinearSVC(random_state=0)
        if self.estimator is not None:
            estimator = clone(self.estimator)
        if len(self.classes_) == 1:
            estimator = DummyClassifier()
        if isinstance(estimator, LinearSVC):  # which would run on forever
            check_magnitude(X, f"the target of {type(self).__name__}", power=4)
        known = codes != UNLABELED
        self.estimator_ = estimator.fit(X[known], codes[known])

    def _scores(self, X: NDArray[Any]) -> NDArray[np.floating]:
        """Score every class, by its probability if there is one."""
        if hasattr(self.estimator_, "predict_proba"):
            return self.estimator_.predict_proba(X)
        scores = self.estimator_.decision_function(X)
        if scores.ndim == 1:
            scores = np.column_stack([np.zeros_like(scores), scores])
        if scores.shape[1] != len(self.classes_):
            raise ValueError(
                f"Expected one score for each of {len(self.classes_)} classes, got "
                f"{scores.shape[1]} from {type(self.estimator_).__name__}: let it "
                f"decide one class against the rest."
            )
        return scores

    def predict_proba_rows(
        self, X: NDArray[Any], domain: DomainName
    ) -> NDArray[np.floating]:
        scores = self._scores(X)
        is_probability = hasattr(self.estimator_, "predict_proba")
        return scores if is_probability else softmax(scores, axis=1)
