"""Self-training that promotes the same share of every class."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from skda.base import DomainName, Rows, estimator
from skda.baselines._control import MIN_SHARE, ShareControl
from skda.utils._sklearn import HasMethods, MetaEstimatorMixin
from skda.utils.class_prior import ClassPrior
from skda.utils.class_weight import encode_class_weight
from skda.utils.labels import UNLABELED
from skda.utils.operations import softmax
from skda.utils.promotion import most_certain
from skda.utils.ranges import ClassWeight, Count, PositiveShare
from skda.utils.sinkhorn import balancing_bias
from skda.utils.validation import check_magnitude

__all__ = ["BalancedSelfTraining"]


@estimator
class BalancedSelfTraining(MetaEstimatorMixin, ShareControl):
    r"""Any classifier, fitted again to its own most certain predictions of each class.

    The classifier is fitted to the labeled rows. Then, for :math:`r = 1, \dots, R`, it
    scores all unlabeled rows; the same biases are added to the scores :math:`s_i` of
    all of them, such that :math:`\tfrac{1}{n_u} \sum_i \operatorname{softmax}(s_i + b)`
    is the class prior; of those then predicted to be of class :math:`k`, the share
    :math:`\rho r / R` with the widest margin between the best and the second best score
    is promoted, with :math:`k` for a label; and a fresh classifier is fitted to the
    labeled and the promoted rows. Every round promotes anew, so a mistake need not
    last; and as it takes the same share of every class, one with wide margins does not
    crowd out the others. A ``source`` is accepted and ignored.

    Parameters
    ----------
    estimator : estimator object
        Classifier with ``predict_proba`` or ``decision_function``, which is fitted to
        labels encoded as 0 to n_classes - 1. None is ``LogisticRegression(C=10)``,
        whose probabilities are comparable even among a hundred classes.
    n_rounds
        Number of rounds :math:`R`.
    share
        Share :math:`\rho` of the unlabeled rows that the last round promotes.
    class_prior : {"estimate", "labeled", "balanced"}, array-like or None
        Shares of the unlabeled rows that promotion keeps to, else as in
        :class:`BalancedLabelPropagation`; None leaves them to the classifier, whose
        mistakes can then add up from round to round.
    class_weight
        Weights of the classes, by label, in a classifier that takes them; "balanced"
        weighs them by the reciprocals of their numbers of labeled and promoted rows.
        None leaves the classifier its own.

    Attributes
    ----------
    estimators_ : list of estimator objects
        The classifiers of the last round, one per representation of the rows.
    class_prior_ : ndarray of shape (n_classes,) or None
        The shares; None without a class prior.

    See Also
    --------
    IterativeLabelPropagation : Promotes in the same way the labels of a graph.
    sklearn.semi_supervised.SelfTrainingClassifier : Promotes all that is above a
        threshold, for :class:`TargetOnly`.

    Notes
    -----
    Where the rows have two representations, a classifier is fitted to each, and the
    mean of their scores counts: of the logarithms of their probabilities, or of their
    decision functions, whose softmax is not calibrated. With a single class there is
    nothing to learn, and each is a :class:`~sklearn.dummy.DummyClassifier`.

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
    class_prior: ClassPrior | None = "estimate"
    class_weight: ClassWeight = None

    @classmethod
    def published(cls, **overrides: Any) -> Self:
        # A classifier of its own for every call, which may set its parameters.
        former = {"estimator": LinearSVC(random_state=0), "class_prior": None}
        return super().published(**(former | overrides))

    def fit_rows(self, source: Rows, target: Rows) -> None:
        codes = target.labels.codes(self.classes_)
        hidden = ~target.labels.known
        rows = self._fit_representations(target.X)
        self._fit_estimators(rows, codes)
        self.class_prior_ = None
        if self.class_prior is not None:
            self._determine_shares(target)
        if not hidden.any():
            return
        for r in range(1, self.n_rounds + 1):
            scores = self._scores([X[hidden] for X in rows])
            if self.class_prior_ is not None:
                scores = scores + balancing_bias(scores, self.class_prior_)
            if hasattr(self.estimators_[0], "predict_proba"):
                scores = softmax(scores, axis=1)
            codes[hidden] = most_certain(scores, self.share * r / self.n_rounds)
            self._fit_estimators(rows, codes)

    def _make_estimator(self) -> Any:
        """Build the classifier, or copy the one that was given."""
        if len(self.classes_) == 1:
            return DummyClassifier()
        estimator = clone(self.estimator, safe=False)
        if estimator is None:
            estimator = LogisticRegression(C=10, max_iter=1000)
        if self.class_weight is not None:
            if "class_weight" not in estimator.get_params():
                raise ValueError(
                    f"Expected class_weight with a classifier that has one, got "
                    f"class_weight={self.class_weight!r} and estimator={estimator!r}: "
                    f"set the weights inside of it."
                )
            weight = encode_class_weight(self.class_weight, self.classes_)
            estimator.set_params(class_weight=weight)
        return estimator

    def _fit_estimators(
        self, rows: list[NDArray[Any]], codes: NDArray[np.int64]
    ) -> None:
        """Fit new classifiers to the rows that are labeled or promoted."""
        known = codes != UNLABELED
        self.estimators_ = []
        for X in rows:
            estimator = self._make_estimator()
            # Of values beyond, one solver has no end and the other no finite result.
            if isinstance(estimator, (LinearSVC, LogisticRegression)):
                check_magnitude(X, f"the target of {type(self).__name__}", power=4)
            self.estimators_.append(estimator.fit(X[known], codes[known]))

    def _scores(self, rows: list[NDArray[Any]]) -> NDArray[np.floating]:
        """Score every class so that the softmax of its scores is its probability."""
        scores = [
            self._scores_of(estimator, X)
            for estimator, X in zip(self.estimators_, rows, strict=True)
        ]
        return np.stack(scores).mean(axis=0)

    def _scores_of(self, estimator: Any, X: NDArray[Any]) -> NDArray[np.floating]:
        """Score every class by the logarithm of its probability if there is one."""
        if hasattr(estimator, "predict_proba"):
            return np.log(np.maximum(estimator.predict_proba(X), MIN_SHARE))
        scores = estimator.decision_function(X)
        if scores.ndim == 1:
            scores = np.column_stack([np.zeros_like(scores), scores])
        if scores.shape[1] != len(self.classes_):
            raise ValueError(
                f"Expected one score for each of {len(self.classes_)} classes, got "
                f"{scores.shape[1]} from {type(estimator).__name__}: let it "
                f"decide one class against the rest."
            )
        return scores

    def predict_proba_rows(
        self, X: NDArray[Any], domain: DomainName
    ) -> NDArray[np.floating]:
        return softmax(self._scores(self._represent(X)), axis=1)
