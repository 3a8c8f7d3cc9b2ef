"""Cross-validation that tests on labeled rows only."""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import BaseCrossValidator, PredefinedSplit, check_cv
from sklearn.utils import check_consistent_length
from sklearn.utils.metadata_routing import MetadataRequest, get_routing_for_object
from torch.utils.data import Dataset

from skda.utils.labels import Labels, check_labels

__all__ = ["LabeledFold"]


class LabeledFold(BaseCrossValidator):
    """Splitter that tests on labeled rows and trains on all the unlabeled ones.

    Any splitter of scikit-learn deals the labeled rows out to training and test; every
    unlabeled row then joins every training set. Where all rows are labeled, the splits
    are those of the wrapped splitter.

    With a plain ``cv=5`` the unlabeled rows go into the test folds, where -1 counts as
    the true label: no prediction is ever -1, so all of them are wrong, and the score
    says how many rows are labeled rather than how well. (The ``score`` of the
    classifiers here ignores unlabeled rows, but ``scoring="accuracy"`` cannot, and a
    fold without a label fails either way.)

    Parameters
    ----------
    cv : int or cross-validation splitter, default=5
        How to split the labeled rows. A number of folds is stratified by class. A
        splitter is given their labels and groups, and in place of ``X`` their
        positions, as the splitters of scikit-learn do not look at features.

    See Also
    --------
    HideLabels : Hide the labels of the training rows, too.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.model_selection import LabeledFold
    >>> X, y = np.zeros((6, 2)), [0, 0, 1, 1, -1, -1]
    >>> for train, test in LabeledFold(cv=2).split(X, y):
    ...     print(train, test)
    [1 3 4 5] [0 2]
    [0 2 4 5] [1 3]

    The mistake it is there to prevent:

    >>> from sklearn.model_selection import cross_val_score
    >>> from skda.baselines import TargetOnly
    >>> X, y = [[0.0], [0.1], [1.0], [1.1]] + [[0.5]] * 6, [0, 0, 1, 1] + [-1] * 6
    >>> clf = TargetOnly()
    >>> cross_val_score(clf, X, y, cv=2, scoring="accuracy")
    array([0.4, 0.4])
    >>> cross_val_score(clf, X, y, cv=LabeledFold(2), scoring="accuracy")
    array([1., 1.])
    """

    def __init__(self, cv: Any = 5) -> None:
        if not isinstance(cv, Integral) and not hasattr(cv, "get_n_splits"):
            raise TypeError(
                f"Expected cv to be a number of folds or a splitter, got {cv!r}: ready "
                f"splits need no LabeledFold, pass them as cv without unlabeled rows "
                f"in their test folds."
            )
        self.cv = cv

    def split(
        self, X: ArrayLike, y: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Generate the positions of the training and test rows of every split.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples, of which only the number matters.
        y : array-like of shape (n_samples,)
            Labels; -1, None, NaN or pandas.NA where unknown.
        groups : array-like of shape (n_samples,), default=None
            Groups that the wrapped splitter keeps together.

        Yields
        ------
        train : ndarray
            Positions of the training rows: labeled ones, then all the unlabeled ones.
        test : ndarray
            Positions of the test rows, all of them labeled.

        Raises
        ------
        ValueError
            If no row is labeled, or too few for the wrapped splitter.
        """
        labels = _check_some_labels(X, y)
        rows, unlabeled = np.flatnonzero(labels.known), np.flatnonzero(~labels.known)
        splitter, arguments = self._restrict(labels, X, groups)
        try:
            for train, test in splitter.split(*arguments):
                yield np.append(rows[train], unlabeled), rows[test]
        except ValueError as error:
            error.add_note(
                f"{self} splits only the {len(rows)} labeled ones of "
                f"{len(labels.known)} samples."
            )
            raise

    def get_n_splits(
        self,
        X: ArrayLike | None = None,
        y: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> int:
        """Count the splits.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), default=None
            Samples. Some splitters know the number without the data.
        y : array-like of shape (n_samples,), default=None
            Labels; required with ``X``.
        groups : array-like of shape (n_samples,), default=None
            Groups that the wrapped splitter keeps together.

        Returns
        -------
        int
            Number of splits.
        """
        if X is None:
            return check_cv(self.cv).get_n_splits()
        splitter, arguments = self._restrict(_check_some_labels(X, y), X, groups)
        return splitter.get_n_splits(*arguments)

    def get_metadata_routing(self) -> MetadataRequest:
        """Say which metadata the wrapped splitter requests.

        Returns
        -------
        MetadataRequest
            Requests of the wrapped splitter, for instance of ``groups``.
        """
        return get_routing_for_object(check_cv(self.cv))

    def _restrict(
        self, labels: Labels, X: ArrayLike, groups: ArrayLike | None
    ) -> tuple[Any, tuple[Any, Any, Any]]:
        """Build the splitter of the labeled rows, and what it is to be called with."""
        rows = np.flatnonzero(labels.known)
        splitter = check_cv(self.cv, labels.values, classifier=True)
        if isinstance(splitter, PredefinedSplit):
            splitter = PredefinedSplit(splitter.test_fold[rows])
        if groups is not None:
            check_consistent_length(X, groups)
            groups = np.asarray(groups)[rows]
        return splitter, (rows, labels.values, groups)


def _check_some_labels(X: ArrayLike, y: ArrayLike | None) -> Labels:
    """Tell labeled rows from unlabeled ones, and insist on some of the former."""
    if y is None:
        raise ValueError(
            "LabeledFold requires y, to know which rows are labeled, but y is None."
        )
    if isinstance(X, Dataset) and not hasattr(X, "shape"):
        raise TypeError(
            f"scikit-learn cannot cut a {type(X).__name__} into folds: pass "
            f"skorch.helper.SliceDataset(dataset)."
        )
    labels = check_labels(y, X)
    if not labels.known.any():
        raise ValueError(
            "Every label is missing (-1, None or NaN): LabeledFold has no row to test "
            "on. Label some samples."
        )
    return labels
